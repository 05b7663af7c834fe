//! What the columns under one heading are for: by its words, by the layout that it shows, by a mapping.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dtsen_proto::{
    column::{self, Column},
    record::RecordKind,
    rulebook::{Owner, Rulebook},
};

use crate::{
    cell::{Cell, EMPTY, Row},
    clean::words::folded,
    layout::{
        find::{Heading, place},
        heading::{Role, role_named},
        keys::keys,
        spelling,
        whose::deputies,
    },
    preset::{self, Preset},
    unused,
    value::Reading,
};

/// Columns of a table and what they are for.
pub struct Plan {
    /// The layout.
    pub preset: Arc<Preset>,
    /// What its rows describe.
    pub kind: RecordKind,
    /// Where each role stands.
    pub roles: BTreeMap<Role, usize>,
    /// Columns that are DTSEN's own, read by the rulebook.
    pub direct: Vec<Direct>,
    /// A BPS code of the village.
    pub bps: Option<usize>,
    /// Kemendagri's code of the village in four columns.
    pub parts: Option<[usize; 4]>,
    /// The heading above each column.
    pub names: Vec<String>,
    /// Tables of the mapping that the cells of a role are looked up in.
    pub tables: BTreeMap<Role, String>,
    /// What no column says.
    pub constants: BTreeMap<Role, String>,
    /// Columns by which rows are left out, and with which words.
    skip: Vec<(usize, Vec<String>)>,
    /// Columns that nobody said anything of, and whether another one counts in their place.
    unused: Vec<(usize, bool)>,
}

/// A column that is one of DTSEN's.
pub struct Direct {
    /// Its place.
    pub at: usize,
    /// Which one.
    pub column: Column,
    /// How its cells are read.
    pub reading: Reading,
    /// The table of codes that its numbers are of, if not DTSEN's own.
    pub table: Option<String>,
    /// Columns beside which it says nothing.
    pub alone: Vec<usize>,
    /// How many digits it has, if that is known.
    pub digits: Option<usize>,
}

/// The headings of Kemendagri's code in four columns, as SIAK has it.
const PARTS: [&str; 4] = ["no prop", "no kab", "no kec", "no kel"];

fn parts(heading: &Heading) -> Option<[usize; 4]> {
    let names: Vec<String> = heading.names[..heading.own()].iter().map(|name| folded(name)).collect();
    let at = PARTS.map(|part| names.iter().position(|name| name == part));
    Some([at[0]?, at[1]?, at[2]?, at[3]?])
}

impl Plan {
    /// The plan for a heading; `forced` is what the operator chose.
    pub fn of(heading: &Heading, family: bool, rulebook: &Rulebook, forced: Option<Arc<Preset>>) -> Self {
        let preset = forced.unwrap_or_else(|| preset::recognise(&heading.names[..heading.own()]));
        let columns = Arc::clone(&preset);
        let columns = &columns.columns;
        let kind = if family { RecordKind::Keluarga } else { RecordKind::Individu };
        let kind = preset.kind.filter(|_| !family).map_or(kind, RecordKind::from);
        let mut plan = Self {
            preset,
            kind,
            roles: BTreeMap::new(),
            direct: Vec::new(),
            bps: None,
            parts: parts(heading),
            names: heading.names.clone(),
            tables: BTreeMap::new(),
            constants: BTreeMap::new(),
            skip: Vec::new(),
            unused: Vec::new(),
        };
        plan.extras();
        // First: what a mapping makes holds in place of what a column is called.
        for (at, derived) in (heading.own()..).zip(&heading.derived) {
            plan.target(rulebook, at, &derived.target);
        }
        let own = &heading.names[..heading.own()];
        let keys = keys(own);
        let said = |at: usize| {
            let folded = folded(&own[at]);
            let by_words = columns.get(&keys[at]).or_else(|| columns.get(&folded));
            by_words.or_else(|| columns.get(preset::question(&folded)?)).map(String::as_str)
        };
        for (at, target) in (0..own.len()).filter_map(|at| Some((at, said(at)?))) {
            if target != "-" {
                plan.target(rulebook, at, target);
            }
        }
        let made = Made::of(&plan);
        for (at, name) in own.iter().enumerate() {
            let folded = folded(name);
            match said(at) {
                Some(_) => {}
                None => match heading.roles.get(at).copied().flatten() {
                    Some(role) if made.instead_of(role) => {}
                    Some(role) if role != Role::Lain && plan.takes(role) => plan.role(at, Some(role)),
                    _ if heading.passed.contains(&at) => {}
                    _ => {
                        let name = folded.replace(' ', "_");
                        let column = rulebook.column_named(plan.kind, &name);
                        if column.is_some_and(|column| !made.all.contains(&column.number)) {
                            plan.direct(rulebook, at, &name, None);
                        }
                    }
                },
            }
        }
        // A mapping may name them too.
        for (its, own) in deputies(|role| plan.roles.contains_key(&role)) {
            plan.roles.extend(plan.roles.get(&its).copied().map(|at| (own, at)));
        }
        plan.unused = plan.unused(heading);
        plan
    }

    /// Columns whose heading nobody knows, and those in whose place another one counts.
    fn unused(&self, heading: &Heading) -> Vec<(usize, bool)> {
        let used: BTreeSet<usize> = self
            .roles
            .values()
            .copied()
            .chain(self.direct.iter().map(|direct| direct.at))
            .chain(self.bps)
            .chain(self.skip.iter().map(|(at, _)| *at))
            .collect();
        let named = |at: usize| {
            let folded = folded(&heading.names[at]);
            folded.is_empty() || self.preset.columns.contains_key(&folded)
        };
        let unknown = |at: &usize| heading.roles[*at].is_none() && !used.contains(at) && !named(*at);
        (0..heading.own()).filter(unknown).map(|at| (at, heading.passed.contains(&at))).collect()
    }

    /// The same with their headings, to look at what they hold.
    pub(crate) fn unused_columns(&self) -> unused::Columns {
        unused::Columns::new(self.unused.iter().map(|(at, passed)| (*at, self.names[*at].clone(), *passed)))
    }

    /// A column whose use a layout names: a role or one of DTSEN's columns, `@` and a table of codes behind it.
    fn target(&mut self, rulebook: &Rulebook, at: usize, target: &str) {
        let (target, table) =
            target.split_once('@').map_or((target, None), |(target, table)| (target, Some(table)));
        if target == "kode_desa_bps" {
            self.bps = Some(at);
            return;
        }
        if let Some(column) = target.strip_prefix("kolom:") {
            return self.direct(rulebook, at, column, table);
        }
        self.role(at, role_named(target));
        self.tables.extend(role_named(target).zip(table.map(str::to_owned)));
    }

    /// What a mapping says besides columns.
    fn extras(&mut self) {
        let constants = self.preset.constants.iter();
        self.constants =
            constants.filter_map(|(role, text)| Some((role_named(role)?, text.clone()))).collect();
        if self.preset.skip.is_empty() {
            return;
        }
        let keys = keys(&self.names);
        let skip = self.preset.skip.iter().filter_map(|skip| {
            Some((place(&keys, &folded(&skip.column))?, skip.is.iter().map(|word| folded(word)).collect()))
        });
        self.skip = skip.collect();
    }

    /// Whether the mapping leaves a row out.
    pub fn skips(&self, row: &Row) -> bool {
        self.skip.iter().any(|(at, words)| words.contains(&folded(&row.cell(*at).text())))
    }

    /// The code that a table of the mapping has for a text.
    pub fn looked_up(&self, table: &str, text: &str) -> Option<i64> {
        self.preset.tables.get(table)?.get(&folded(text)).copied()
    }

    /// Of families, what is a person's own is read as DTSEN's column if it is one.
    fn takes(&self, role: Role) -> bool {
        self.kind == RecordKind::Individu || !matches!(role, Role::Hubungan | Role::StatusKawin)
    }

    fn role(&mut self, at: usize, role: Option<Role>) {
        if let Some(role) = role {
            self.roles.entry(role).or_insert(at);
        }
    }

    fn direct(&mut self, rulebook: &Rulebook, at: usize, name: &str, table: Option<&str>) {
        let Some(info) = rulebook.column_named(self.kind, name) else { return };
        let hub = rulebook.block(info.block).is_some_and(|block| block.owner == Owner::Hub);
        if !hub && self.direct.iter().all(|direct| direct.column != info.number) {
            let (table, digits) = (table.map(str::to_owned), self.preset.digits.get(name).copied());
            let (reading, alone) = (Reading::of(rulebook, info), self.alone(at));
            self.direct.push(Direct { at, column: info.number, reading, table, alone, digits });
        }
    }

    /// The columns that must be empty for one to count.
    fn alone(&self, at: usize) -> Vec<usize> {
        let names: Vec<String> = self.names.iter().map(|name| folded(name)).collect();
        let own = names.get(at).and_then(|name| {
            let alone = &self.preset.alone;
            alone.get(name).or_else(|| alone.get(preset::question(name)?))
        });
        own.into_iter().flatten().filter_map(|name| place(&names, name)).collect()
    }

    /// The cell of a row with a role, and whether it stands in quotes.
    pub fn cell<'a>(&self, role: Role, row: &'a Row) -> (&'a Cell, bool) {
        self.roles.get(&role).map_or((&EMPTY, true), |at| (row.cell(*at), row.is_quoted(*at)))
    }

    /// The heading above the column with a role.
    pub fn name(&self, role: Role) -> Option<&str> {
        self.roles.get(&role).and_then(|at| self.names.get(*at)).map(String::as_str)
    }

    /// The heading that nobody knows under which the names may stand, where no other has them.
    pub fn nameless(&self) -> Option<&str> {
        if self.roles.contains_key(&Role::Nama) {
            return None;
        }
        let names = |name: &&str| {
            folded(name).split(' ').any(|word| word == "nama") && !spelling::is_of_another(name)
        };
        let unknown = self.unused.iter().filter(|(_, passed)| !passed);
        unknown.map(|(at, _)| self.names[*at].as_str()).find(names)
    }

    /// The headings of the columns that are used.
    pub fn headings(&self) -> impl Iterator<Item = &str> {
        let used = self.used().into_iter();
        used.filter_map(|at| self.names.get(at).map(String::as_str)).filter(|name| !name.is_empty())
    }

    /// The places of the columns that are used.
    pub(crate) fn used(&self) -> BTreeSet<usize> {
        let direct = self.direct.iter().map(|direct| direct.at);
        self.roles.values().copied().chain(direct).chain(self.bps).collect()
    }

    /// Whether a column tells if somebody is there.
    pub(crate) fn tells_presence(&self, at: usize) -> bool {
        [Role::StatusDasar, Role::KeberadaanAnggota].iter().any(|role| self.roles.get(role) == Some(&at))
    }

    /// The DTSEN columns that its rows may state, with the names that the heading gives them.
    pub fn columns(&self) -> Vec<(Column, String)> {
        let name = |at: usize| self.names.get(at).cloned().unwrap_or_default();
        let mut columns: Vec<(Column, String)> =
            self.direct.iter().map(|direct| (direct.column, name(direct.at))).collect();
        for (role, at) in &self.roles {
            columns.extend(columns_of(*role, self.kind).iter().map(|column| (*column, name(*at))));
        }
        columns
    }
}

/// DTSEN's columns that a mapping makes out of others.
struct Made {
    kind: RecordKind,
    /// By role or directly.
    all: Vec<Column>,
    /// As DTSEN's own.
    direct: Vec<Column>,
}

impl Made {
    /// Those of a plan that has nothing else yet.
    fn of(plan: &Plan) -> Self {
        Self {
            kind: plan.kind,
            all: plan.columns().into_iter().map(|(column, _)| column).collect(),
            direct: plan.direct.iter().map(|direct| direct.column).collect(),
        }
    }

    /// Whether they state all that a column with this role would, which would come before them.
    fn instead_of(&self, role: Role) -> bool {
        let states = columns_of(role, self.kind);
        !states.is_empty() && states.iter().all(|column| self.direct.contains(column))
    }
}

/// The columns that a role states.
fn columns_of(role: Role, kind: RecordKind) -> &'static [Column] {
    match (kind, role) {
        (RecordKind::Individu, Role::Nik) => &[column::I_NIK],
        (RecordKind::Individu, Role::NoKk) => &[column::I_NOMOR_KARTU_KELUARGA],
        (RecordKind::Individu, Role::Nama) => &[column::I_NAMA],
        (RecordKind::Individu, Role::JenisKelamin) => &[column::I_JENIS_KELAMIN],
        (RecordKind::Individu, Role::TanggalLahir | Role::TempatTanggalLahir) => &[column::I_TANGGAL_LAHIR],
        (RecordKind::Individu, Role::Hubungan) => &[column::I_STATUS_HUBUNGAN],
        (RecordKind::Individu, Role::StatusKawin) => &[column::I_STATUS_KAWIN],
        (RecordKind::Individu, Role::Alamat) => &[column::I_ALAMAT_KTP],
        (RecordKind::Individu, Role::Dusun) => &[column::I_DUSUN_KTP],
        (RecordKind::Individu, Role::Rt) => &[column::I_RT_KTP],
        (RecordKind::Individu, Role::Rw) => &[column::I_RW_KTP],
        (RecordKind::Individu, Role::RtRw | Role::RwRt) => &[column::I_RT_KTP, column::I_RW_KTP],
        (RecordKind::Individu, Role::Pekerjaan) => &[column::I_PEKERJAAN_KTP],
        (RecordKind::Individu, Role::Pendidikan) => &[column::I_PENDIDIKAN_KTP, column::I_IJAZAH],
        (RecordKind::Individu, Role::PendidikanSedang) => &[column::I_PARTISIPASI_SEKOLAH],
        (RecordKind::Individu, Role::StatusDasar | Role::KeberadaanAnggota) => &[column::I_KEBERADAAN],
        (RecordKind::Keluarga, Role::NoKk) => &[column::K_NOMOR_KARTU_KELUARGA],
        (RecordKind::Keluarga, Role::NamaKepala | Role::Nama) => &[column::K_NAMA_KEPALA],
        (RecordKind::Keluarga, Role::JumlahAnggota) => &[column::K_JUMLAH_ANGGOTA],
        (RecordKind::Keluarga, Role::Alamat) => &[column::K_ALAMAT],
        (RecordKind::Keluarga, Role::Rt) => &[column::K_RT],
        (RecordKind::Keluarga, Role::Rw) => &[column::K_RW],
        (RecordKind::Keluarga, Role::RtRw | Role::RwRt) => &[column::K_RT, column::K_RW],
        _ => &[],
    }
}
