"""Watches a region's public contracts, without having their bodies parsed; sleeps until the list expires."""
import json
from datetime import datetime

from esipy import App, EsiClient

import config

FORMAT = '%a, %d %b %Y %H:%M:%S %Z'
app = App.create(config.ESI_SWAGGER_JSON)
client = EsiClient(raw_body_only=True, cache=None, headers={'User-Agent': config.ESI_USER_AGENT})


def seconds_left(response):
    expires = datetime.strptime(response.header['Expires'][0], FORMAT)
    return (expires - datetime.strptime(response.header['Date'][0], FORMAT)).total_seconds()


def main():
    operation = app.op['get_contracts_public_region_id'](region_id=10000002, page=1)
    response = client.request(operation)
    print(response.status, response.data, type(response.raw).__name__)
    left = seconds_left(response)
    print('expires in time:', 0 < left <= 1800)
    pages = response.header['X-Pages'][0]
    print('pages:', pages, type(pages).__name__)
    print('headers:', [name in response.header for name in ('X-Pages', 'x-pages', 'ETag', 'X-Nothing')])
    remain = response.header.get('x-esi-error-limit-remain') or response.header.get('x-ratelimit-remaining')
    print('limits are told:', int(remain[0]) > 0)

    contracts = []
    operations = [
        app.op['get_contracts_public_region_id'](region_id=10000002, page=page)
        for page in range(1, pages + 1)
    ]
    for request, answer in client.multi_request(operations, threads=5, raw_body_only=True):
        contracts.extend(json.loads(answer.raw.decode('utf-8')))
    print('contracts:', len(contracts), len(set(contract['contract_id'] for contract in contracts)))
    contracts.sort(key=lambda contract: contract['contract_id'])
    for contract in contracts[:3]:
        print(contract['contract_id'], contract['type'], contract['date_expired'])

    parsed = client.request(operation, raw_body_only=False)
    print('parsed:', len(parsed.data), parsed.data[0].date_expired.v.year)

    # one that has nothing in it any more answers without a body
    for contract_id in (contracts[0]['contract_id'], 200000007):
        items = client.request(
            app.op['get_contracts_public_items_contract_id'](contract_id=contract_id)
        )
        print(items.status, items.data, len(json.loads(items.raw.decode('utf-8'))) if items.raw else items.raw)

    # asked again with what is known, ESI has nothing new
    etag = response.header['ETag'][0]
    again = app.op['get_contracts_public_region_id'](
        **{'region_id': 10000002, 'page': 1, 'If-None-Match': etag}
    )
    unchanged = client.request(again)
    print('unchanged:', unchanged.status, unchanged.header['ETag'][0] == etag)


if __name__ == '__main__':
    main()
