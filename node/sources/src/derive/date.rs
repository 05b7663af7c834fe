//! Dates in a form that a mapping names.

use jiff::{
    civil::{Date, date},
    fmt::strtime,
};

/// A day whose parts are all different, and the same a century before.
const SAMPLES: [Date; 2] = [date(2003, 2, 1), date(1903, 2, 1)];

/// Whether a format writes a date so that it can be read again.
pub(super) fn is_format(format: &str) -> bool {
    let [day, _] = SAMPLES;
    strtime::format(format, day).is_ok_and(|text| Date::strptime(format, text).is_ok_and(|read| read == day))
}

/// A date in the first format that fits, as the cleaning reads it without doubt: with two digits of the year if there are
/// two, because which century it was is judged there.
pub(super) fn read(text: &str, formats: &[String]) -> Option<String> {
    formats.iter().find_map(|format| {
        let day = Date::strptime(format, text.trim()).ok()?;
        let [this, before] = SAMPLES.map(|day| strtime::format(format, day).ok());
        let form = if this == before { "%d-%m-%y" } else { "%Y-%m-%d" };
        strtime::format(form, day).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_tells_a_whole_date() {
        for good in ["%Y%m%d", "%d.%m.%y", "%d%m%Y", "%m/%d/%Y", "%Y-%j"] {
            assert!(is_format(good), "{good}");
        }
        for wrong in ["", "%Y", "%d-%m", "%H:%M", "dd-mm-yyyy", "%Q"] {
            assert!(!is_format(wrong), "{wrong}");
        }
    }

    #[test]
    fn the_first_format_that_fits_counts() {
        let formats = ["%Y%m%d", "%d%m%y"].map(str::to_owned);
        assert_eq!(read("19800817", &formats).as_deref(), Some("1980-08-17"));
        assert_eq!(read(" 170880 ", &formats).as_deref(), Some("17-08-80"), "the century is judged later");
        for wrong in ["", "17 Agustus 1980", "19801317", "198008171"] {
            assert_eq!(read(wrong, &formats), None, "{wrong}");
        }
    }
}
