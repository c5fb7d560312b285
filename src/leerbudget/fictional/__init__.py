"""A made-up Netherlands by seed: real postcodes, invented families, organisations, trainers and courses.

Pure code: a seed and a first day in, plain values out; no database and no clock. Everything says `fictief`.
`population.make_world` makes it, `csv_files.write_world` writes it as the files an organisation would
import (docs/import-files.md), `instances.generate_instance` as a matching file.
"""
