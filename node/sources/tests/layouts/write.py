"""Writes workbook.xls and workbook.ods, which Rust cannot write: python3 write.py (needs xlwt and odfpy).

All people are invented.
"""

import datetime

import xlwt
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

DAY = datetime.date
ROWS = [
    ["DAFTAR PENDUDUK KELURAHAN DAYAN PEKEN"],
    ["NO KK", "NIK", "NAMA", "TGL LAHIR", "JK", "SHDK", "RT", "RW"],
    ["5271010101109001", "5271010101809001", "Ahmad Yani, S.Sos", DAY(1980, 1, 1), "L", "Kepala Keluarga", 3, 5],
    ["", 5271014203829002, "Siti", "3 Maret 1982", "P", "Istri", "003", "005"],
    ["", 5271010505109010, "Budi", 40303, "L", "Anak", "3", "-"],
]


def xls():
    book = xlwt.Workbook()
    sheet = book.add_sheet("Penduduk")
    style = xlwt.XFStyle()
    style.num_format_str = "dd/mm/yyyy"
    for row, cells in enumerate(ROWS):
        for column, cell in enumerate(cells):
            if cell == "" or (row == 2 and column == 0):
                continue
            if isinstance(cell, DAY):
                sheet.write(row, column, cell, style)
            else:
                sheet.write(row, column, cell)
    sheet.write_merge(2, 4, 0, 0, ROWS[2][0])
    book.save("workbook.xls")


def ods():
    book = OpenDocumentSpreadsheet()
    table = Table(name="Penduduk")
    for cells in ROWS:
        row = TableRow()
        for cell in cells:
            if isinstance(cell, DAY):
                made = TableCell(valuetype="date", datevalue=cell.isoformat())
            elif isinstance(cell, int):
                made = TableCell(valuetype="float", value=cell)
            elif cell == "":
                made = TableCell()
            else:
                made = TableCell(valuetype="string")
                made.addElement(P(text=cell))
            row.addElement(made)
        table.addElement(row)
    book.spreadsheet.addElement(table)
    book.save("workbook.ods")


xls()
ods()
