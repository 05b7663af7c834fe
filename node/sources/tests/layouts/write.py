"""Writes workbook.xls, workbook_1904.xls and workbook.ods, which Rust cannot write: python3 write.py (needs xlwt and odfpy).

All people are invented.
"""

import datetime

import xlwt
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import CoveredTableCell, Table, TableCell, TableRow
from odf.text import P

DAY = datetime.date
# Never reckoned by a spreadsheet: there is no result.
FORMULA = object()
ROWS = [
    ["DAFTAR PENDUDUK KELURAHAN DAYAN PEKEN"],
    ["NO KK", "NIK", "NAMA", "TGL LAHIR", "JK", "SHDK", "RT", "RW"],
    ["5271010101109001", "5271010101809001", "Ahmad Yani, S.Sos", DAY(1980, 1, 1), "L", "Kepala Keluarga", 3, 5],
    ["", 5271014203829002, "Siti", "3 Maret 1982", "P", "Istri", "003", "005"],
    ["", 5271010505109010, "Budi", 40303, "L", "Anak", "3", "-"],
    ["", "5271014505129011", "Ani", FORMULA, "P", "Anak", "3", "-"],
]
# Of a workbook that counts days from 1904: days kept as days, as numbers, and as text.
ROWS_1904 = [
    ["NO KK", "NIK", "NAMA", "TGL LAHIR", "JK", "SHDK"],
    ["5271010101109001", "5271010101809001", "AHMAD YANI", DAY(1980, 1, 1), "L", "Kepala Keluarga"],
    ["5271010101109001", "5271014203829002", "SITI", 28550, "P", "Istri"],
    ["5271010101109001", "", "BUDI", 38841, "L", "Anak"],
    ["5271010101109001", "", "ANI", "38841", "P", "Anak"],
]
# The No. KK is merged over its members.
MERGED = (2, 5)


def xls():
    book = xlwt.Workbook()
    sheet = book.add_sheet("Penduduk")
    style = xlwt.XFStyle()
    style.num_format_str = "dd/mm/yyyy"
    for row, cells in enumerate(ROWS):
        for column, cell in enumerate(cells):
            if cell == "" or (row == 2 and column == 0):
                continue
            if cell is FORMULA:
                cell = xlwt.Formula("DATE(2012,5,5)")
            if isinstance(cell, DAY):
                sheet.write(row, column, cell, style)
            else:
                sheet.write(row, column, cell)
    sheet.write_merge(*MERGED, 0, 0, ROWS[2][0])
    book.save("workbook.xls")


def xls_1904():
    book = xlwt.Workbook()
    book.dates_1904 = True
    sheet = book.add_sheet("Penduduk")
    style = xlwt.XFStyle()
    style.num_format_str = "dd/mm/yyyy"
    for row, cells in enumerate(ROWS_1904):
        for column, cell in enumerate(cells):
            if isinstance(cell, DAY):
                sheet.write(row, column, cell, style)
            elif cell != "":
                sheet.write(row, column, cell)
    book.save("workbook_1904.xls")


def ods():
    book = OpenDocumentSpreadsheet()
    table = Table(name="Penduduk")
    first, last = MERGED
    for at, cells in enumerate(ROWS):
        row = TableRow()
        for column, cell in enumerate(cells):
            if column == 0 and first <= at <= last:
                if at == first:
                    made = TableCell(valuetype="string", numberrowsspanned=last - first + 1, numbercolumnsspanned=1)
                    made.addElement(P(text=cell))
                else:
                    made = CoveredTableCell()
            elif cell is FORMULA:
                made = TableCell(formula="of:=DATE(2012;5;5)")
            elif isinstance(cell, DAY):
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
xls_1904()
ods()
