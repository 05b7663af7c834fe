//! Dates as people and spreadsheets write them: words, serial numbers, two-digit years, day and month the wrong way
//! round. What cannot be known is told and left out, never guessed.

use std::borrow::Cow;

use jiff::{
    ToSpan as _,
    civil::{Date, date},
    fmt::temporal::Pieces,
    tz::Offset,
};

/// Day 0 of Excel's 1900 system, such that serials after February 1900 are right.
const SERIAL_BASE: Date = date(1899, 12, 30);
/// Serials of birth dates: 1 January 1910, before which nobody alive was born, to 31 December 2099. Lower numbers are
/// years, ages and counts.
const SERIALS: std::ops::RangeInclusive<i32> = 3_654..=73_050;
/// Numbers that are years: as serials they would be days of 1905.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2100;
/// Midnight of Indonesia is 15:00 to 17:00 of the day before in UTC: so many hours later it is the right day in every
/// zone that Indonesia has had (7, 7½, 8, 9 hours), and midnight itself stays on its day.
const HOURS_OF_ZONE: i64 = 9;
/// Nobody alive was born before.
const OLDEST: i16 = 1900;
/// Below this age nobody is head of a family or married.
const GROWN: i16 = 12;
/// Years of which two digits tell the last.
const CENTURY: i16 = 100;

/// The day of birth that a NIK holds; the century is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NikDate {
    /// Of the month, the 40 of women taken off.
    pub day: i8,
    /// Of the year.
    pub month: i8,
    /// Last two digits.
    pub year: i16,
}

/// What is known beside the cell.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// Nothing is dated later.
    pub today: Date,
    /// What the person's NIK says, if it is sound.
    pub nik: Option<NikDate>,
    /// The person is head, spouse or was married: no child.
    pub adult: bool,
    /// The column writes month before day, as far as its other cells tell.
    pub month_first: bool,
    /// Days that a spreadsheet's number of days lacks: its workbook counts from later.
    pub days_more: u16,
}

impl Context {
    /// Of nobody of whom anything is known.
    pub fn on(today: Date) -> Self {
        Self { today, nik: None, adult: false, month_first: false, days_more: 0 }
    }
}

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Nothing.
    Missing,
    /// This day.
    Day(Date),
    /// This day, after day and month were exchanged.
    Swapped(Date),
    /// Only a year: no day to go by.
    YearOnly(i16),
    /// A day that the calendar does not have.
    Impossible,
    /// Later than today.
    Future(Date),
    /// Nothing that is a date.
    Unreadable,
}

/// Months as they are written, old spellings and English ones too; the longest that fits counts.
const MONTHS: [&[&str]; 12] = [
    &["januari", "january", "jan"],
    &["februari", "pebruari", "february", "feb", "peb"],
    &["maret", "march", "mrt", "mar"],
    &["april", "apr"],
    &["mei", "may"],
    &["juni", "june", "jun"],
    &["juli", "july", "jul"],
    &["agustus", "august", "agst", "agt", "ags", "agu", "aug"],
    &["september", "sept", "sep"],
    &["oktober", "october", "okt", "oct"],
    &["november", "nopember", "nov", "nop"],
    &["desember", "december", "des", "dec"],
];

fn month(word: &str) -> Option<i8> {
    let at = MONTHS.iter().position(|names| names.contains(&word))?;
    i8::try_from(at + 1).ok()
}

/// Reads a text that is a date, or a spreadsheet's number of days.
pub fn read(text: &str, context: &Context) -> Reading {
    let digits = text.trim();
    match written(text, context) {
        Reading::Unreadable
            if matches!(digits.len(), 4..=5) && digits.bytes().all(|b| b.is_ascii_digit()) =>
        {
            digits.parse().map_or(Reading::Unreadable, |serial| read_serial(serial, context))
        }
        reading => reading,
    }
}

/// Reads a date as people write it.
fn written(text: &str, context: &Context) -> Reading {
    let text = without_time(text.trim()).to_lowercase();
    let parts = parts(&text);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts[..] {
        [] => Reading::Missing,
        [one] => single(one, context),
        [a, b, c] => triple([a, b, c], context),
        // "Mei 1980".
        [a, b] if month(a).is_some() && b.len() == 4 => year_only(b),
        _ => Reading::Unreadable,
    }
}

/// Reads a date cell of a spreadsheet, which its program may have understood the wrong way round.
pub fn read_cell(day: Date, context: &Context) -> Reading {
    judged(day.year(), day.month(), day.day(), context)
}

/// The year that a number is, instead of a spreadsheet's number of days.
pub fn year_of(number: f64) -> Option<i16> {
    let is_year = (f64::from(*YEARS.start())..=f64::from(*YEARS.end())).contains(&number);
    #[expect(clippy::cast_possible_truncation, reason = "the range is looked at first")]
    let year = number.trunc() as i16;
    is_year.then_some(year)
}

/// Reads a spreadsheet's number of days.
pub fn read_serial(serial: f64, context: &Context) -> Reading {
    if let Some(year) = year_of(serial) {
        return Reading::YearOnly(year);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range is looked at first")]
    let whole = if (f64::from(*SERIALS.start())..=f64::from(*SERIALS.end())).contains(&serial) {
        serial.trunc() as i32 + i32::from(context.days_more)
    } else {
        return Reading::Unreadable;
    };
    match SERIAL_BASE.checked_add(jiff::Span::new().days(whole)) {
        Ok(day) => read_cell(day, context),
        Err(_) => Reading::Unreadable,
    }
}

/// A time of day behind the date says nothing, unless it is of UTC, where the day ends later than here. With an offset of
/// its own it is the day as written.
pub fn without_time(text: &str) -> Cow<'_, str> {
    let Some((day, time)) = text.split_once([' ', 'T', 't']) else { return Cow::Borrowed(text) };
    if !time.contains(':') || !day.bytes().any(|b| b.is_ascii_digit()) {
        return Cow::Borrowed(text);
    }
    utc_day(text).map_or(Cow::Borrowed(day), |day| Cow::Owned(day.to_string()))
}

/// The day here of a moment in UTC, as databases and programs write it: `1980-03-11 17:00:00+00`.
fn utc_day(text: &str) -> Option<Date> {
    let pieces = Pieces::parse(text.strip_suffix(" UTC").unwrap_or(text)).ok()?;
    let utc = pieces.to_numeric_offset() == Some(Offset::UTC) || text.ends_with(" UTC");
    let moment = pieces.date().to_datetime(pieces.time()?);
    Some(moment.checked_add(HOURS_OF_ZONE.hours()).ok()?.date()).filter(|_| utc)
}

/// Runs of digits and of letters.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut before = None;
    for c in text.chars() {
        let kind = if c.is_ascii_digit() {
            Some(true)
        } else if c.is_alphabetic() {
            Some(false)
        } else {
            None
        };
        match kind {
            Some(_) if kind == before => parts.last_mut().expect("not the first").push(c),
            Some(_) => parts.push(c.to_string()),
            None => {}
        }
        before = kind;
    }
    parts
}

/// The first two numbers of a date that is written with numbers alone, the year last: which of them is the month is
/// another question.
pub fn first_two(text: &str) -> Option<(i16, i16)> {
    let parts = parts(&without_time(text.trim()).to_lowercase());
    let [first, second, third] = &parts[..] else { return None };
    let number = |text: &String| text.parse::<i16>().ok().filter(|_| text.len() <= 2);
    third.parse::<i16>().ok()?;
    number(first).zip(number(second))
}

fn single(text: &str, context: &Context) -> Reading {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Reading::Unreadable;
    }
    match text.len() {
        _ if text.bytes().all(|b| b == b'0') => Reading::Missing,
        4 if text.parse().is_ok_and(|year| (OLDEST..=context.today.year()).contains(&year)) => {
            year_only(text)
        }
        8 if text.get(..4).is_some_and(|year| is_year(year, context)) => {
            triple([&text[..4], &text[4..6], &text[6..]], context)
        }
        8 => triple([&text[..2], &text[2..4], &text[4..]], context),
        _ => Reading::Unreadable,
    }
}

fn is_year(text: &str, context: &Context) -> bool {
    text.parse().is_ok_and(|year: i16| (OLDEST..=context.today.year()).contains(&year))
}

fn year_only(text: &str) -> Reading {
    text.parse().map_or(Reading::Unreadable, Reading::YearOnly)
}

fn triple(parts: [&str; 3], context: &Context) -> Reading {
    let [first, second, third] = parts;
    let number = |text: &str| text.parse::<i16>().ok().filter(|_| text.len() <= 4);
    let month_of = |text: &str| month(text).map(i16::from);
    let numbers = parts.map(number);
    let late =
        |day: Option<i16>, month: Option<i16>| Some((full(third, number(third)?, context), month?, day?));
    let found = if let Some(month) = month_of(second) {
        // "1980 Agustus 17", "17 Agustus 1980".
        if first.len() == 4 {
            numbers[0].zip(numbers[2]).map(|(year, day)| (year, month, day))
        } else {
            late(numbers[0], Some(month))
        }
    } else if let Some(month) = month_of(first) {
        // "Agustus 17 1980".
        late(numbers[1], Some(month))
    } else if first.len() == 4 {
        numbers[0].zip(numbers[1]).zip(numbers[2]).map(|((year, month), day)| (year, month, day))
    } else if context.month_first && numbers[0].is_some_and(|first| first <= 12) {
        late(numbers[1], numbers[0])
    } else {
        late(numbers[0], numbers[1])
    };
    let Some((year, month, day)) = found else { return Reading::Unreadable };
    if year == 0 && month == 0 && day == 0 {
        return Reading::Missing;
    }
    if (month == 0 || day == 0) && (OLDEST..=context.today.year()).contains(&year) {
        return Reading::YearOnly(year);
    }
    match (i8::try_from(month), i8::try_from(day)) {
        (Ok(month), Ok(day)) => judged(year, month, day, context),
        _ => Reading::Impossible,
    }
}

/// A year of two digits: not in the future, and not so late that a grown-up would be a child.
fn full(text: &str, year: i16, context: &Context) -> i16 {
    if text.len() > 2 {
        return year;
    }
    let century = context.today.year() / CENTURY * CENTURY;
    let latest = if context.adult { context.today.year() - GROWN } else { context.today.year() };
    if century + year <= latest { century + year } else { century - CENTURY + year }
}

/// A day, with day and month exchanged where only that is possible, or where the NIK says so.
fn judged(year: i16, month: i8, day: i8, context: &Context) -> Reading {
    let straight = Date::new(year, month, day).ok();
    let exchanged = Date::new(year, day, month).ok();
    let fits = |found: &Date| {
        context.nik.is_some_and(|nik| {
            (nik.day, nik.month, nik.year) == (found.day(), found.month(), found.year().rem_euclid(CENTURY))
        })
    };
    let found = match (straight, exchanged) {
        (Some(straight), Some(exchanged))
            if !fits(&straight) && fits(&exchanged) && straight != exchanged =>
        {
            Reading::Swapped(exchanged)
        }
        (Some(straight), _) => Reading::Day(straight),
        // Month first, because the other way round the calendar has no such day.
        (None, Some(exchanged)) if month > 12 => Reading::Swapped(exchanged),
        _ => return Reading::Impossible,
    };
    match found {
        // An empty cell that a spreadsheet shows as a date.
        Reading::Day(SERIAL_BASE) => Reading::Impossible,
        Reading::Day(day) | Reading::Swapped(day) if day > context.today => Reading::Future(day),
        Reading::Day(day) | Reading::Swapped(day) if day.year() < OLDEST - 30 => Reading::Impossible,
        found => found,
    }
}

/// Parts a place and a date that stand in one cell, at the first tail that is a date. A number of days is one only if it
/// is all of the cell: behind a place it is a postcode or a house.
pub fn split_place<'a>(text: &'a str, context: &Context) -> (&'a str, Reading) {
    let is_date = |reading: &Reading| !matches!(reading, Reading::Unreadable | Reading::Missing);
    let whole = text.starts_with(|c: char| c.is_ascii_digit()).then(|| read(text, context));
    if let Some(whole) = whole.filter(is_date) {
        return ("", whole);
    }
    let begins = text.char_indices().filter(|(at, c)| {
        let after = text[at + c.len_utf8()..].trim_start();
        // A stroke behind a digit is the date's own.
        let inside = *c == '/' && text[..*at].ends_with(|c: char| c.is_ascii_digit());
        matches!(c, ',' | ' ' | '/') && !inside && after.starts_with(|c: char| c.is_ascii_digit())
    });
    for (at, c) in begins {
        let from = at + c.len_utf8();
        let reading = written(&text[from..], context);
        if is_date(&reading) {
            return (
                text[..from].trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '/' | '-')),
                reading,
            );
        }
    }
    (text, Reading::Missing)
}

#[cfg(test)]
mod tests;
