"""Characters' mail: headers, bodies, labels. What is sent to a character of the sandbox arrives there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from esipy.sandbox.esi_asked import Asked, Handler, Reply
from esipy.sandbox.esi_values import moment
from esipy.sandbox.state_shelf import Shelf, Thing, Touch
from esipy.sandbox.world import World

__all__ = ["STRANGER", "Mail"]

PAGE_MAILS = 50
INBOX, SENT, CORPORATION, ALLIANCE = 1, 2, 4, 8
_NAMES = {INBOX: "Inbox", SENT: "Sent", CORPORATION: "[Corp]", ALLIANCE: "[Alliance]"}
_MAILS = 120
_CATCH_UP = 10
STRANGER = 95_000_000  # a character whom nobody plays
_SENT_SINCE = 1_777_593_600  # 2026-05-01T00:00:00Z


class _Box:
    """One character's mails and labels. A mail holds all fields of header and body."""

    def __init__(self, character: int, world: World) -> None:
        dice = world.dice("mail", character)
        self._character = character
        self._world = world
        first = dice.randint(360_000_000, 390_000_000)
        mails = {first + place * 3: self._made_up(first + place * 3) for place in range(_MAILS)}
        self.mails = Shelf("mail", mails, self._made_up)
        self.labels = Shelf(
            "label", {label: {"label_id": label, "name": name, "color": "#ffffff"} for label, name in _NAMES.items()}
        )

    def _made_up(self, mail_id: int) -> Thing:
        dice = self._world.dice("mail", self._character, mail_id)
        sender = dice.choice(self._world.roster.ids)
        return {
            "mail_id": mail_id,
            "from": sender,
            "is_read": dice.random() < 0.8,
            "labels": [dice.choice((INBOX, CORPORATION, ALLIANCE))],
            "recipients": [{"recipient_id": self._character, "recipient_type": "character"}],
            "subject": f"Mail {mail_id}",
            "timestamp": moment(_SENT_SINCE + abs(mail_id) % 10_000_000, fraction=mail_id % 4 == 0),
            "body": f"Greetings, {self._world.named(self._character)}. {self._world.named(sender)}",
        }


class Mail:
    """All boxes.

    Args:
        world: the universe.
        touch: is told each path whose data were changed.
        now: when it begins, in unix seconds.
        every_seconds: how often a mail arrives by itself in each box that was looked into; None: never.
    """

    def __init__(self, world: World, touch: Touch, now: float = 0.0, every_seconds: float | None = None) -> None:
        self._world = world
        self._touch = touch
        self._began = now
        self._every_seconds = every_seconds
        self._arrived = 0
        self._boxes: dict[int, _Box] = {}
        self._new_ids: Iterator[int] = count(400_000_001)

    def handlers(self) -> dict[str, Handler]:
        """The operations that this book answers."""
        return {
            "get_characters_character_id_mail": self._list,
            "post_characters_character_id_mail": self._send,
            "get_characters_character_id_mail_mail_id": self._read,
            "put_characters_character_id_mail_mail_id": self._change,
            "delete_characters_character_id_mail_mail_id": self._delete,
            "get_characters_character_id_mail_labels": self._labels,
            "post_characters_character_id_mail_labels": self._add_label,
            "delete_characters_character_id_mail_labels_label_id": self._delete_label,
        }

    def _box(self, character: int) -> _Box:
        if character not in self._boxes:
            self._boxes[character] = _Box(character, self._world)
        return self._boxes[character]

    def _mine(self, asked: Asked) -> _Box:
        return self._box(asked.values["character_id"])

    # ---- mails ----

    def _list(self, asked: Asked) -> Reply:
        """Headers, newest first: those older than the one that is named, and with one of the labels."""
        before: int | None = asked.values.get("last_mail_id")
        labels = set[int](asked.values.get("labels", ()))
        chosen = [
            mail
            for mail in sorted(self._mine(asked).mails.things.values(), key=lambda mail: -int(mail["mail_id"]))
            if (before is None or mail["mail_id"] < before) and (not labels or labels.intersection(mail["labels"]))
        ]
        return Reply([{name: mail[name] for name in mail if name != "body"} for mail in chosen[:PAGE_MAILS]])

    def _read(self, asked: Asked) -> Reply:
        mail = dict(self._mine(asked).mails.peek(asked.values["mail_id"]))
        del mail["mail_id"]
        mail["read"] = mail.pop("is_read")
        return Reply(mail)

    def _send(self, asked: Asked) -> Reply:
        body: dict[str, Any] = asked.values["body"]
        sent = self.send(asked.values["character_id"], body["recipients"], body["subject"], body["body"], asked.now)
        return Reply(sent, 201)

    def send(self, sender: int, recipients: list[dict[str, Any]], subject: str, body: str, now: float) -> int:
        """Send a mail, as the operation takes it; gives its id. It arrives at those recipients who are characters."""
        mail: Thing = {
            "mail_id": next(self._new_ids),
            "from": sender,
            "recipients": recipients,
            "subject": subject,
            "timestamp": moment(now),
            "body": body,
        }
        self._deliver(sender, {**mail, "is_read": True, "labels": [SENT]})
        for recipient in recipients:
            if recipient["recipient_type"] == "character" and recipient["recipient_id"] != sender:
                self._deliver(recipient["recipient_id"], {**mail, "is_read": False, "labels": [INBOX]})
        sent: int = mail["mail_id"]
        return sent

    def arrive(self, now: float) -> None:
        """Deliver what came by itself until now; of what came while nobody asked for anything, the last few."""
        if self._every_seconds is None:
            return
        due = int((now - self._began) / self._every_seconds)
        for number in range(max(self._arrived, due - _CATCH_UP) + 1, due + 1):
            for character in list(self._boxes):
                to = [{"recipient_id": character, "recipient_type": "character"}]
                sent_at = self._began + number * self._every_seconds
                self.send(STRANGER, to, f"News {number}", f"This is the sandbox's mail {number}.", sent_at)
        self._arrived = due

    def _deliver(self, character: int, mail: Thing) -> None:
        if character in self._world.roster:  # nobody else can read it
            self._box(character).mails.put(mail["mail_id"], mail)
            self._changed(character, mail["mail_id"])

    def _change(self, asked: Asked) -> Reply:
        mail = self._mine(asked).mails.get(asked.values["mail_id"])
        body: dict[str, Any] = asked.values["body"]
        if body.get("labels") is not None:
            mail["labels"] = body["labels"]
        if body.get("read") is not None:
            mail["is_read"] = body["read"]
        self._changed(asked.values["character_id"], asked.values["mail_id"])
        return Reply(status=204)

    def _delete(self, asked: Asked) -> Reply:
        self._mine(asked).mails.delete(asked.values["mail_id"])
        self._changed(asked.values["character_id"], asked.values["mail_id"])
        return Reply(status=204)

    def _changed(self, character: int, mail_id: int) -> None:
        box = f"/characters/{character}/mail"
        for path in (box, f"{box}/{mail_id}", f"{box}/labels"):
            self._touch(path)

    # ---- labels ----

    def _labels(self, asked: Asked) -> Reply:
        box = self._mine(asked)
        unread = [mail for mail in box.mails.things.values() if not mail["is_read"]]
        labels: list[Thing] = []
        for label_id, label in box.labels.things.items():
            labels.append({**label, "unread_count": sum(label_id in mail["labels"] for mail in unread)})
        return Reply({"labels": labels, "total_unread_count": len(unread)})

    def _add_label(self, asked: Asked) -> Reply:
        body: dict[str, Any] = asked.values["body"]
        color = body.get("color") or "#ffffff"
        label_id = self._mine(asked).labels.add(
            lambda new_id: {"label_id": new_id, "name": body["name"], "color": color}
        )
        self._touch(asked.path)
        return Reply(label_id, 201)

    def _delete_label(self, asked: Asked) -> Reply:
        box, label = self._mine(asked), asked.values["label_id"]
        box.labels.delete(label)
        for mail in box.mails.things.values():
            mail["labels"] = [one for one in mail["labels"] if one != label]
        self._touch(asked.path.rpartition("/")[0])
        self._touch(asked.path.rpartition("/labels")[0])
        return Reply(status=204)
