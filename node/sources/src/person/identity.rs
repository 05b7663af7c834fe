//! Who a row is about: numbers, name, birth.

use dtsen_proto::{
    column::{self, Column},
    nik::{self, Fault, Number, Parts},
    record::{Day, RecordKind, Value},
    rulebook::reason,
};

use super::{Reading, squeezed};
use crate::{
    cell::Cell,
    clean::{date, name, number},
    layout::heading::Role,
    survey,
};

/// First digit of the numbers that OpenSID makes up: 0, the village's ten digits, a counter.
const TEMPORARY: char = '0';

/// The reasons for what is wrong with a number.
struct Reasons {
    format: &'static str,
    area: &'static str,
    date: &'static str,
    serial: &'static str,
}

const NIK: Reasons = Reasons {
    format: reason::NIK_FORMAT,
    area: reason::NIK_AREA,
    date: reason::NIK_DATE,
    serial: reason::NIK_SERIAL,
};
const KK: Reasons = Reasons {
    format: reason::KK_FORMAT,
    area: reason::KK_AREA,
    date: reason::KK_DATE,
    serial: reason::KK_SERIAL,
};

impl Reading<'_> {
    /// Whether the row names several people: whose its other cells are nobody knows.
    pub(super) fn is_of_several(&self) -> bool {
        self.out.kind == RecordKind::Individu && name::several(&self.cell(Role::Nama).text())
    }

    pub(super) fn person(&mut self) {
        self.number(Role::Nik, column::I_NIK, Number::Nik, &NIK);
        self.number(Role::NoKk, column::I_NOMOR_KARTU_KELUARGA, Number::Kk, &KK);
        self.name(Role::Nama, column::I_NAMA);
        self.codes();
        self.birth();
    }

    pub(super) fn family(&mut self) {
        self.number(Role::NoKk, column::K_NOMOR_KARTU_KELUARGA, Number::Kk, &KK);
        self.name(
            if self.plan.roles.contains_key(&Role::NamaKepala) { Role::NamaKepala } else { Role::Nama },
            column::K_NAMA_KEPALA,
        );
        let members = self.cell(Role::JumlahAnggota).text();
        if let Ok(members) = members.trim_end_matches(".0").parse() {
            self.say_code(column::K_JUMLAH_ANGGOTA, members);
        }
    }

    /// What the cell of a number holds, or else what was said above the row; and the text of it.
    fn number_cell(&mut self, role: Role) -> (number::Cell, String) {
        let (nik, kk) = self.table.numbers();
        let habit = if role == Role::Nik { nik } else { kk };
        let (own, quoted) = self.plan.cell(role, self.row);
        let said = self.context.get(role).filter(|_| own.is_empty()).map(|text| Cell::Text(text.to_owned()));
        let cell = said.as_ref().unwrap_or(own);
        (number::read_cell(cell, habit, quoted), cell.text().into_owned())
    }

    /// A number of a row, if it is sound in every respect.
    pub(super) fn sound(&mut self, role: Role) -> Option<u64> {
        let which = if role == Role::Nik { Number::Nik } else { Number::Kk };
        match self.number_cell(role).0 {
            number::Cell::Sound(number) => nik::parse(&format!("{number:016}"), which)
                .ok()
                .filter(|parts| role != Role::Nik || self.not_theirs(*parts).is_none())
                .map(|_| number),
            _ => None,
        }
    }

    /// Never a number that may be wrong: what is damaged is left out and told.
    fn number(&mut self, role: Role, column: Column, which: Number, reasons: &Reasons) {
        let (cell, text) = self.number_cell(role);
        let cut = matches!(cell, number::Cell::AsNumber | number::Cell::Odd(_));
        let code = match cell {
            number::Cell::Missing => return,
            number::Cell::AsNumber => reason::NIK_AS_NUMBER,
            number::Cell::Placeholder if which == Number::Kk => reasons.format,
            number::Cell::Placeholder if is_temporary(&text) => reason::NIK_TEMPORARY,
            number::Cell::Placeholder => reason::NIK_PLACEHOLDER,
            number::Cell::Odd(_) => reasons.format,
            number::Cell::Sound(number) => {
                let text = format!("{number:016}");
                match nik::parse(&text, which) {
                    Ok(parts) => match self.not_theirs(parts).filter(|_| role == Role::Nik) {
                        Some(code) => code,
                        None => return self.out.say(column, text),
                    },
                    Err(Fault::Format) => reasons.format,
                    Err(Fault::Area) => reasons.area,
                    Err(Fault::Date) => reasons.date,
                    Err(Fault::Serial) => reasons.serial,
                }
            }
        };
        self.tell(code, column, role);
        if let Some(told) = self.out.told.last_mut().filter(|told| cut && told.code == code) {
            told.prefix = number::prefix(&text);
        }
    }

    /// Why a NIK is not that of its row: its column is somebody else's, and nothing in the row says otherwise.
    fn not_theirs(&self, nik: Parts) -> Option<&'static str> {
        let against = self.table.against_niks()?;
        let born = survey::day_beside(&|role| (self.cell(role), false), nik, self.today);
        (!born.is_some_and(|born| nik.matches(born))).then_some(against)
    }

    fn name(&mut self, role: Role, column: Column) {
        let text = self.text(role);
        let read = name::read(&text);
        if let Some(heading) = self.plan.nameless().filter(|_| read.name.is_empty()) {
            // The cell is filled, and nobody knows what for.
            self.out.tell(reason::NAME_MISSING, Some(column), Some(heading));
        }
        if read.nameless {
            self.tell(reason::NAME_MISSING, column, role);
        }
        if read.titles {
            self.tell(reason::NAME_TITLE, column, role);
        }
        if read.alias {
            self.tell(reason::NAME_ALIAS, column, role);
        }
        if read.name.chars().any(char::is_alphabetic) {
            self.out.say(column, squeezed(&read.name));
        }
    }

    fn birth(&mut self) {
        let nik = self.out.text(column::I_NIK).and_then(survey::date_in);
        let relation = self.out.number(column::I_STATUS_HUBUNGAN);
        let married = self.out.number(column::I_STATUS_KAWIN);
        let adult = matches!(relation, Some(1 | 2 | 4 | 6)) || matches!(married, Some(2..=4));
        let context = date::Context {
            today: self.today,
            nik,
            adult,
            month_first: self.plan.preset.month_first.unwrap_or_else(|| self.table.month_first()),
            days_more: self.row.days_more(),
        };
        let (role, reading) = self.birth_cell(&context);
        let column = column::I_TANGGAL_LAHIR;
        match reading {
            date::Reading::Missing => {}
            date::Reading::Day(day) => {
                self.out.values.insert(column, number_of(day));
            }
            date::Reading::Swapped(day) => {
                self.out.values.insert(column, number_of(day));
                self.tell(reason::DATE_SWAPPED, column, role);
            }
            date::Reading::YearOnly(_) => self.tell(reason::DATE_YEAR_ONLY, column, role),
            date::Reading::Impossible => self.tell(reason::DATE_IMPOSSIBLE, column, role),
            date::Reading::Future(_) => self.tell(reason::DATE_FUTURE, column, role),
            date::Reading::Unreadable => self.tell(reason::DATE_FORMAT, column, role),
        }
        if reading == date::Reading::Missing && self.ambiguous(role, nik.is_some()) {
            self.tell(reason::DATE_AMBIGUOUS, column, role);
        }
    }

    fn birth_cell(&mut self, context: &date::Context) -> (Role, date::Reading) {
        for role in [Role::TanggalLahir, Role::TempatTanggalLahir, Role::TempatLahir] {
            let cell = self.cell(role);
            let reading = match cell {
                Cell::Empty | Cell::Fault => continue,
                // A place that is a number is no date.
                Cell::Number(_) | Cell::Whole(_) if role == Role::TempatLahir => continue,
                Cell::Text(text) if role == Role::TempatLahir && is_number(text) => continue,
                Cell::Day(_) if self.ambiguous(role, context.nik.is_some()) => date::Reading::Missing,
                Cell::Day(day) => date::read_cell(*day, context),
                Cell::Number(serial) => date::read_serial(*serial, context),
                #[expect(clippy::cast_precision_loss, reason = "serials are small")]
                Cell::Whole(serial) => date::read_serial(*serial as f64, context),
                Cell::Text(text) if role == Role::TanggalLahir => match date::read(text, context) {
                    // Place and date in the column of dates.
                    date::Reading::Unreadable => match date::split_place(text, context).1 {
                        date::Reading::Missing => date::Reading::Unreadable,
                        reading => reading,
                    },
                    // A day of zeros is none, and said; so is what stands where nobody knows one.
                    date::Reading::Missing if text.contains('0') => date::Reading::Impossible,
                    date::Reading::Missing => date::Reading::Unreadable,
                    reading => reading,
                },
                Cell::Text(text) => match date::split_place(text, context).1 {
                    // A place alone says nothing; digits in a cell with a date were meant as one.
                    date::Reading::Missing
                        if role == Role::TempatTanggalLahir
                            && text.contains(|c: char| c.is_ascii_digit()) =>
                    {
                        date::Reading::Unreadable
                    }
                    date::Reading::Missing => continue,
                    reading => reading,
                },
            };
            return (role, reading);
        }
        (Role::TanggalLahir, date::Reading::Missing)
    }

    /// A day that a spreadsheet may have understood the wrong way round, as it did with others of the table, and no NIK
    /// to tell.
    fn ambiguous(&self, role: Role, with_nik: bool) -> bool {
        let Cell::Day(day) = self.cell(role) else { return false };
        !with_nik && self.table.exchanges() && day.day() <= 12 && day.day() != day.month()
    }

    /// When the row was last changed.
    pub(super) fn changed(&self) -> Option<jiff::civil::Date> {
        self.day(Role::Diubah)
    }

    /// The day of the interview, unless it cannot be: it is yet to come, or the person was not born.
    pub(super) fn asked(&mut self) {
        let Some(day) = self.day(Role::Pendataan).filter(|day| *day <= self.today) else { return };
        let day = Day::from_date(day);
        let born = self.out.number(column::I_TANGGAL_LAHIR);
        self.out.asked = born.is_none_or(|born| born <= day.0.into()).then_some(day);
    }

    fn day(&self, role: Role) -> Option<jiff::civil::Date> {
        let context = date::Context { days_more: self.row.days_more(), ..date::Context::on(self.today) };
        match self.cell(role) {
            Cell::Day(day) => Some(*day),
            Cell::Text(text) => match date::read(text, &context) {
                date::Reading::Day(day) | date::Reading::Swapped(day) => Some(day),
                _ => None,
            },
            _ => None,
        }
    }
}

fn number_of(day: jiff::civil::Date) -> Value {
    Value::Number(Day::from_date(day).0.into())
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn is_temporary(text: &str) -> bool {
    text.len() == nik::DIGITS && text.starts_with(TEMPORARY) && text.bytes().any(|b| b != b'0')
}
