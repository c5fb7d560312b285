"""Files that organisations hand in and take out: strict CSV in, safe CSV out (docs/import-files.md).

`reading` turns bytes into checked cells, `layouts` cells into plain values; both know no database.
`importing` gives those to the rooms' actions, all of a file or nothing; `exporting` writes files.
The command line, the demonstration and pages use the same functions.
"""
