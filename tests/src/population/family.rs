//! One family: its line, its members and their lines.

use std::sync::Arc;

use dtsen_proto::region::Region;

use super::{
    Population,
    dice::{Dice, Purpose},
    household::{self, Relation, Seat},
    housing, names,
    number::{self, Day, Issuer},
    person::Life,
    row::{ANGGOTA, KELUARGA, Row, Value},
    village::Place,
};

const STREETS: [&str; 12] = [
    "MELATI",
    "PAHLAWAN",
    "KENANGA",
    "PENDIDIKAN",
    "MASJID RAYA",
    "PASAR LAMA",
    "GAJAH MADA",
    "ANGGREK",
    "NELAYAN",
    "MERDEKA",
    "LANGKO",
    "CEMPAKA",
];

/// A family with its line of the family file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Its number in the population, from 0.
    pub number: u64,
    /// No. KK.
    pub kk: String,
    /// Latent wealth, 0..1000: housing, assets, schooling and work follow it, with noise.
    pub wealth: u16,
    /// Kemendagri code of the village of domicile, ten digits.
    pub village: u64,
    /// The line, in the columns of [`KELUARGA`].
    pub keluarga: Row,
    /// The head first, guests last.
    pub members: Vec<Member>,
}

/// A member with the line of the member file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who it is.
    pub person: Person,
    /// The line, in the columns of [`ANGGOTA`].
    pub anggota: Row,
}

/// Who a member is, whatever faults do to the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// NIK.
    pub nik: String,
    /// Name.
    pub name: String,
    /// Birth date.
    pub birth: Day,
    /// Whether a woman.
    pub female: bool,
    /// Relation to the head of the own family.
    pub relation: Relation,
    /// 1 never married, 2 married, 3 divorced, 4 widowed.
    pub marriage: u8,
    /// Region of domicile; for a guest not the one of the file.
    pub region: Region,
}

impl Family {
    pub(super) fn add_guest(&mut self, guest: &Member) {
        let mut guest = guest.clone();
        guest.anggota.set("nomor_kartu_keluarga", Value::text(self.kk.as_str()));
        guest.anggota.set("status_hubungan_keluarga", Value::Number(Relation::Other as u64));
        self.members.push(guest);
        self.keluarga.set("jumlah_anggota_keluarga", Value::Number(self.members.len() as u64));
    }
}

/// Makes family n.
pub(super) fn generate(population: &Population, n: u64) -> Family {
    let (place, position) = population.place(n);
    let seats = household::compose(&mut population.dice(n, Purpose::Household));
    let kk: Arc<str> = number::kk(position, &population.kecamatan).into();
    let mut housing = population.dice(n, Purpose::Housing);
    let wealth = housing.below(1000);
    let context = Context {
        population,
        place,
        wealth,
        kk: &kk,
        aided: housing.chance(if wealth < 400 { 700 } else { 60 }),
        local_aid: housing.chance(if wealth < 500 { 120 } else { 15 }),
        hamlet: (format!("{:03}", 1 + housing.below(12)), format!("{:03}", 1 + housing.below(9))),
        address: format!("JL. {} NO. {}", housing.pick(&STREETS), 1 + housing.below(240)),
    };
    let mut names = population.dice(n, Purpose::Names);
    let flavour = names::flavour(&mut names, population.region.number() / 100);
    let mut people = population.dice(n, Purpose::People);
    let mut members: Vec<Member> = Vec::with_capacity(seats.len());
    for (nth, &seat) in seats.iter().enumerate() {
        let drawn = number::issuer(&mut people, position, population.kecamatan.len(), nth == 0);
        let issuer = if seat.twin { Issuer::Home } else { drawn };
        let second = seat.twin && seat.female == seats[nth - 1].female;
        let (birth, nik) =
            number::nik(position, &population.kecamatan, issuer, seat.year, seat.female, second);
        let person = Person {
            nik,
            name: names::name(&mut names, flavour, seat.female),
            birth,
            female: seat.female,
            relation: seat.relation,
            marriage: seat.marriage,
            region: population.region,
        };
        let anggota = context.anggota(&person, seat, &mut people);
        members.push(Member { person, anggota });
    }
    let keluarga = context.keluarga(n, &members, &mut housing);
    let wealth = u16::try_from(wealth).expect("below 1000");
    Family { number: n, kk: kk.to_string(), wealth, village: place.dagri[3], keluarga, members }
}

/// What the lines of a family share.
struct Context<'a> {
    population: &'a Population,
    place: &'a Place,
    wealth: u32,
    kk: &'a Arc<str>,
    aided: bool,
    local_aid: bool,
    /// RT and RW.
    hamlet: (String, String),
    address: String,
}

fn yes_no(yes: bool) -> Value {
    Value::Word(if yes { "YA" } else { "TIDAK" })
}

/// Code and name of the four levels, the province first.
fn area(codes: [u64; 4], names: &[Arc<str>; 4]) -> impl Iterator<Item = Value> + '_ {
    codes.into_iter().zip(names).flat_map(|(code, name)| [Value::Number(code), Value::Text(name.clone())])
}

impl Context<'_> {
    fn keluarga(&self, n: u64, members: &[Member], dice: &mut Dice) -> Row {
        let decile = 1 + u64::from(self.wealth) / 100;
        let near = |dice: &mut Dice| match dice.below(10) {
            0 => (decile - 1).max(1),
            1 => (decile + 1).min(10),
            _ => decile,
        };
        let (of_province, of_regency) = (near(dice), near(dice));
        let meter = format!("{:04}{n:08}", self.population.region.number());
        let mut values = Vec::with_capacity(KELUARGA.len());
        values.extend(area(self.place.like_bps, &self.place.names));
        values.extend([
            Value::text(self.address.as_str()),
            Value::Text(self.kk.clone()),
            Value::Number(members.len() as u64),
            Value::text(members[0].person.name.as_str()),
            Value::Number(decile),
            Value::Number(of_province),
            Value::Number(of_regency),
            yes_no(self.aided),
            yes_no(self.local_aid),
            Value::Empty,
        ]);
        let customer = values.len() - 1;
        values.extend(housing::values(dice, self.wealth));
        let mut row = Row::new(&KELUARGA, values);
        if row.number("sumber_penerangan_utama") == Some(1) {
            row.set(KELUARGA[customer], Value::text(meter));
        }
        row
    }

    fn anggota(&self, person: &Person, seat: Seat, dice: &mut Dice) -> Row {
        let life = Life::new(dice, seat, self.wealth);
        let home = if dice.chance(940) {
            self.place
        } else {
            let places = &self.population.places;
            &places[usize::try_from(dice.below_u64(places.len() as u64)).expect("one of the villages")]
        };
        let mut values = Vec::with_capacity(ANGGOTA.len());
        values.extend([
            Value::text(person.nik.as_str()),
            Value::Text(self.kk.clone()),
            Value::text(person.name.as_str()),
            Value::text(person.birth.iso()),
            Value::Number(if person.female { 2 } else { 1 }),
            Value::Number(person.relation as u64),
            yes_no(self.aided),
            yes_no(self.local_aid),
            Value::Number(person.marriage.into()),
        ]);
        values.extend(life.values());
        values.extend(area(home.dagri, &home.names));
        values.extend([
            Value::text(self.hamlet.0.as_str()),
            Value::text(self.hamlet.1.as_str()),
            Value::Empty,
            Value::text(self.address.as_str()),
            Value::Word(life.occupation(seat)),
            Value::Word(life.education()),
        ]);
        Row::new(&ANGGOTA, values)
    }
}
