"""The life of a call, written once for both runtimes: pipeline.py holds its order, each layer has its file."""
