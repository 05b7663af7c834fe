use super::*;

fn context() -> Context {
    Context::on(date(2026, 11, 23))
}

#[test]
fn as_people_write_them() {
    let day = |year, month, day| Reading::Day(date(year, month, day));
    for (text, expected) in [
        ("1980-08-17", day(1980, 8, 17)),
        ("1980-08-17 00:00:00", day(1980, 8, 17)),
        ("1980-08-17T00:00:00Z", day(1980, 8, 17)),
        ("1980-03-12 00:00:00.000", day(1980, 3, 12)),
        ("1980-03-12T00:00:00", day(1980, 3, 12)),
        // Midnight of Papua, Bali, Jakarta, and Jakarta before 1964, in UTC.
        ("1980-03-11 15:00:00+00", day(1980, 3, 12)),
        ("1980-03-11 16:00:00+00:00", day(1980, 3, 12)),
        ("1980-03-11T17:00:00.000Z", day(1980, 3, 12)),
        ("1960-03-11 16:30:00+00", day(1960, 3, 12)),
        ("1979-12-31 17:00:00 UTC", day(1980, 1, 1)),
        ("1980-03-12 00:00:00+00", day(1980, 3, 12)),
        ("1980-03-12 00:00:00+07", day(1980, 3, 12)),
        ("1980-03-12T23:00:00+07:00", day(1980, 3, 12)),
        ("12/03/1980 17:00:00", day(1980, 3, 12)),
        ("17/08/1980", day(1980, 8, 17)),
        ("17-8-1980", day(1980, 8, 17)),
        ("17.08.1980", day(1980, 8, 17)),
        ("17 08 1980", day(1980, 8, 17)),
        ("17 Agustus 1980", day(1980, 8, 17)),
        ("17 Agt 1980", day(1980, 8, 17)),
        ("17-AGST-80", day(1980, 8, 17)),
        ("17agustus1980", day(1980, 8, 17)),
        ("1 Mrt 75", day(1975, 3, 1)),
        ("2 Pebruari 1981", day(1981, 2, 2)),
        ("3 Nopember 1982", day(1982, 11, 3)),
        ("Dec 31, 1999", day(1999, 12, 31)),
        ("19800817", day(1980, 8, 17)),
        ("17081980", day(1980, 8, 17)),
        ("29514", day(1980, 10, 20)),
        ("17-8-80", day(1980, 8, 17)),
        ("17-8-05", day(2005, 8, 17)),
        ("17-8-27", day(1927, 8, 17)),
        ("08/17/1980", Reading::Swapped(date(1980, 8, 17))),
        ("31/02/1975", Reading::Impossible),
        ("31-13-1975", Reading::Impossible),
        ("00/00/0000", Reading::Missing),
        ("0000-00-00", Reading::Missing),
        ("00/00/1975", Reading::YearOnly(1975)),
        ("1975", Reading::YearOnly(1975)),
        ("2050", Reading::YearOnly(2050)),
        ("1500", Reading::Unreadable),
        ("17/08/19800", Reading::Unreadable),
        ("Mei 1975", Reading::YearOnly(1975)),
        ("17/08/2027", Reading::Future(date(2027, 8, 17))),
        ("tidak tahu", Reading::Unreadable),
        ("17 Sapar 1980", Reading::Unreadable),
        ("", Reading::Missing),
    ] {
        assert_eq!(read(text, &context()), expected, "{text}");
    }
}

#[test]
fn the_nik_decides_which_is_the_month() {
    let nik = Some(NikDate { day: 5, month: 3, year: 80 });
    let context = Context { nik, ..context() };
    assert_eq!(read("03/05/1980", &context), Reading::Swapped(date(1980, 3, 5)));
    assert_eq!(read("05/03/1980", &context), Reading::Day(date(1980, 3, 5)));
    assert_eq!(read_cell(date(1980, 5, 3), &context), Reading::Swapped(date(1980, 3, 5)));
    assert_eq!(read("04/05/1980", &context), Reading::Day(date(1980, 5, 4)), "fits neither way");
    assert_eq!(read_serial(29_280.0, &context), Reading::Day(date(1980, 2, 29)));
}

#[test]
fn a_number_is_a_year_or_days_or_nothing() {
    let since_1904 = Context { days_more: 1462, ..context() };
    assert_eq!(read_serial(24_149.0, &since_1904), Reading::Day(date(1970, 2, 12)));
    assert_eq!(read("24149", &since_1904), Reading::Day(date(1970, 2, 12)));
    assert_eq!(read_serial(1_970.0, &since_1904), Reading::YearOnly(1970));
    let read = |number| read_serial(number, &context());
    assert_eq!(read(1980.0), Reading::YearOnly(1980));
    assert_eq!(read(29_514.0), Reading::Day(date(1980, 10, 20)));
    for nothing in [0.0, 7.0, 1_899.0, 2_101.0, 16.5, 19_800_817.0, -1.0, f64::NAN] {
        assert_eq!(read(nothing), Reading::Unreadable, "{nothing}");
    }
}

#[test]
fn a_head_of_family_was_not_born_last_year() {
    let context = Context { adult: true, ..context() };
    assert_eq!(read("17-8-25", &context), Reading::Day(date(1925, 8, 17)));
    assert_eq!(read("17-8-05", &context), Reading::Day(date(2005, 8, 17)));
}

#[test]
fn a_column_that_writes_months_first() {
    let context = Context { month_first: true, ..context() };
    assert_eq!(read("08/05/1980", &context), Reading::Day(date(1980, 8, 5)));
    assert_eq!(read("17/05/1980", &context), Reading::Day(date(1980, 5, 17)));
}

#[test]
fn a_place_before_the_date() {
    let day = Reading::Day(date(1980, 8, 17));
    for (text, place, expected) in [
        ("Sleman, 17/08/1980", "Sleman", day),
        ("SLEMAN 17-08-1980", "SLEMAN", day),
        ("Kulon Progo,17 Agustus 1980", "Kulon Progo", day),
        ("Jakarta / 17-8-80", "Jakarta", day),
        ("17-08-1980", "", day),
        ("Sleman", "Sleman", Reading::Missing),
        ("Desa 7 Ulu, 17-08-1980", "Desa 7 Ulu", day),
        ("SP 3 / 17-08-1980", "SP 3", day),
        ("Sleman, 17081980", "Sleman", day),
        ("29450", "", day),
        ("Bogor, 1980", "Bogor", Reading::YearOnly(1980)),
        ("Bogor 16810", "Bogor 16810", Reading::Missing),
        ("Bogor, RT 05, 25000", "Bogor, RT 05, 25000", Reading::Missing),
        ("KM 29514", "KM 29514", Reading::Missing),
        ("17/08/19800", "17/08/19800", Reading::Missing),
        ("17/08/19/80", "17/08/19/80", Reading::Missing),
    ] {
        assert_eq!(split_place(text, &context()), (place, expected), "{text}");
    }
}
