//! NIK and No. KK: sixteen digits whose parts say where and when they were issued (Permendagri; `docs/PROTOCOL.md` §3.4).

use jiff::civil::Date;

/// Digits of both numbers.
pub const DIGITS: usize = 16;
/// Added to the day of birth in the NIK of a woman.
const FEMALE_DAY: i8 = 40;

/// The parts of a NIK, or of a No. KK when its day is read without the women's offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// First six digits: where it was first issued, in Kemendagri's scheme, perhaps in a code since retired.
    pub area: [u8; 6],
    /// Day of the month, the women's offset taken away.
    pub day: i8,
    /// Month.
    pub month: i8,
    /// Last two digits of the year.
    pub year: i16,
    /// Whether the day carried the women's offset.
    pub female: bool,
    /// Serial, from 1.
    pub serial: u16,
}

/// Why sixteen characters are no such number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not sixteen digits.
    Format,
    /// The digits of kab/kota or kecamatan are 00.
    Area,
    /// The date does not exist in either century.
    Date,
    /// The serial is 0000.
    Serial,
}

/// Which of the two numbers is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// A person's, with the women's offset in the day.
    Nik,
    /// A family's; its date is the day of registration.
    Kk,
}

/// Reads the parts of a number.
pub fn parse(text: &str, number: Number) -> Result<Parts, Fault> {
    let bytes = text.as_bytes();
    if bytes.len() != DIGITS || !bytes.iter().all(u8::is_ascii_digit) {
        return Err(Fault::Format);
    }
    let two = |at: usize| i8::try_from((bytes[at] - b'0') * 10 + bytes[at + 1] - b'0').expect("below 100");
    if two(0) == 0 || two(2) == 0 || two(4) == 0 {
        return Err(Fault::Area);
    }
    let female = number == Number::Nik && two(6) > FEMALE_DAY;
    let parts = Parts {
        area: bytes[..6].try_into().expect("six of sixteen"),
        day: if female { two(6) - FEMALE_DAY } else { two(6) },
        month: two(8),
        year: i16::from(two(10)),
        female,
        serial: text[12..].parse().expect("four digits"),
    };
    if parts.date_in(1900).is_none() && parts.date_in(2000).is_none() {
        return Err(Fault::Date);
    }
    if parts.serial == 0 {
        return Err(Fault::Serial);
    }
    Ok(parts)
}

impl Parts {
    fn date_in(self, century: i16) -> Option<Date> {
        Date::new(century + self.year, self.month, self.day).ok()
    }

    /// Whether the number was issued for this birth date, in whichever century.
    pub fn matches(self, date: Date) -> bool {
        self.date_in(1900) == Some(date) || self.date_in(2000) == Some(date)
    }

    /// The area as Kemendagri writes it: `52.71.01`.
    pub fn area_code(self) -> String {
        let d = self.area.map(char::from);
        format!("{}{}.{}{}.{}{}", d[0], d[1], d[2], d[3], d[4], d[5])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_parts() {
        let parts = parse("5271014101909001", Number::Nik).expect("a NIK");
        assert_eq!(parts.area_code(), "52.71.01");
        assert!(parts.female && parts.matches(jiff::civil::date(1990, 1, 1)));
        assert_eq!(parts.serial, 9001);
        // The same digits are no No. KK: there is no 41st of January.
        assert_eq!(parse("5271014101909001", Number::Kk), Err(Fault::Date));
    }

    #[test]
    fn refuses_what_cannot_be() {
        for (text, fault) in [
            ("527101410190900", Fault::Format),
            ("52710141019090011", Fault::Format),
            ("5271O14101909001", Fault::Format),
            ("5200014101909001", Fault::Area),
            ("5271014113909001", Fault::Date),
            ("5271013002909001", Fault::Date),
            ("5271017201909001", Fault::Date),
            ("5271014101900000", Fault::Serial),
            ("0000000000000000", Fault::Area),
        ] {
            assert_eq!(parse(text, Number::Nik), Err(fault), "{text}");
        }
        // 29 February exists in 2000 only.
        assert!(parse("5271012902009001", Number::Nik).is_ok());
    }
}
