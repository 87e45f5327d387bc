"""Bytes to objects: YAML, JSON, lists, dumps, snapshots; and objects to a snapshot.

Pure: reading files is the shell's (`kubehop.files`, `kubehop.live`). Never guesses: what cannot
be read is an InputError that names file, document, object and field.
"""
