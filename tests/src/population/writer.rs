//! The file pair as a Pemda receives it, streamed family by family.

use std::{
    fs,
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use super::{
    Population,
    family::Family,
    faults::{self, FaultKind, Faults, Plan},
    row::{ANGGOTA, KELUARGA, Row},
    truth::{File, Truth, TruthEntry},
};

mod encode;

pub use self::encode::{FileOptions, Pbi};

/// A written pair and what is wrong in it.
#[derive(Debug, Clone)]
pub struct FilePair {
    /// The family file.
    pub keluarga: PathBuf,
    /// The member file.
    pub anggota: PathBuf,
    /// Families written.
    pub families: u64,
    /// Members written, those of broken lines too.
    pub members: u64,
    /// The faults.
    pub truth: Truth,
}

/// Writes all families as `keluarga_dtsen_v3_<kab>.csv` and `anggota_keluarga_dtsen_v3_<kab>.csv`.
pub fn write_pair(
    dir: &Path,
    population: &Population,
    faults: &Faults,
    options: FileOptions,
) -> io::Result<FilePair> {
    let plan = faults.plan(population);
    Writer::create(dir, "_dtsen_v3", population, options)?.all(&plan, 0..population.families)
}

/// Writes all families as a spreadsheet saves them with Indonesian settings: `;`, and quotes only where needed, as
/// `keluarga_<kab>.csv` and `anggota_keluarga_<kab>.csv`.
pub fn write_csv_semicolon(
    dir: &Path,
    population: &Population,
    faults: &Faults,
    options: FileOptions,
) -> io::Result<FilePair> {
    let plan = faults.plan(population);
    let options = FileOptions { delimiter: b';', ..options };
    Writer::create(dir, "", population, options)?.all(&plan, 0..population.families)
}

/// Writes the pair with these families only, without planned faults.
pub fn write_some(
    dir: &Path,
    population: &Population,
    families: &[u64],
    options: FileOptions,
) -> io::Result<FilePair> {
    Writer::create(dir, "_dtsen_v3", population, options)?.all(&Plan::new(), families.iter().copied())
}

/// Writes the pair with so many families as they never were: every line differs from what this population says. Sent
/// after the population's own file but with an earlier reference date, all of them are stale.
pub fn write_older(
    dir: &Path,
    population: &Population,
    count: u64,
    options: FileOptions,
) -> io::Result<FilePair> {
    assert!(0 < count && count <= population.families, "some of the families");
    let older = population.changed_by(u32::MAX, 1000);
    let step = population.families / count;
    let mut writer = Writer::create(dir, "_dtsen_v3", &older, options)?;
    writer.stale = true;
    writer.all(&Plan::new(), (0..count).map(|nth| nth * step))
}

struct Out {
    file: BufWriter<fs::File>,
    path: PathBuf,
    /// Number of the last line written.
    line: u64,
}

impl Out {
    fn create(
        path: PathBuf,
        header: &[&str],
        options: FileOptions,
        buffer: &mut Vec<u8>,
    ) -> io::Result<Self> {
        encode::header(header, options, buffer);
        let mut file = BufWriter::with_capacity(1 << 18, fs::File::create(&path)?);
        file.write_all(buffer)?;
        Ok(Self { file, path, line: 1 })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        self.line += 1;
        self.file.write_all(line)
    }

    fn finish(mut self) -> io::Result<PathBuf> {
        self.file.flush()?;
        Ok(self.path)
    }
}

struct Writer<'a> {
    population: &'a Population,
    options: FileOptions,
    keluarga: Out,
    anggota: Out,
    buffer: Vec<u8>,
    stale: bool,
    truth: Truth,
}

impl<'a> Writer<'a> {
    fn create(
        dir: &Path,
        suffix: &str,
        population: &'a Population,
        options: FileOptions,
    ) -> io::Result<Self> {
        let kab = format!("{:04}", population.region.number());
        let mut buffer = Vec::with_capacity(1 << 10);
        let mut out = |name: &str, header: &[&str]| {
            Out::create(dir.join(format!("{name}{suffix}_{kab}.csv")), header, options, &mut buffer)
        };
        let (keluarga, anggota) = (out("keluarga", &KELUARGA)?, out("anggota_keluarga", &ANGGOTA)?);
        Ok(Self { population, options, keluarga, anggota, buffer, stale: false, truth: Truth::default() })
    }

    fn all(mut self, plan: &Plan, families: impl Iterator<Item = u64>) -> io::Result<FilePair> {
        let (mut count, mut members) = (0, 0);
        for n in families {
            let family = self.population.family(n);
            count += 1;
            members += family.members.len() as u64;
            self.family(family, plan.get(&n).copied())?;
        }
        Ok(FilePair {
            keluarga: self.keluarga.finish()?,
            anggota: self.anggota.finish()?,
            families: count,
            members,
            truth: self.truth,
        })
    }

    fn family(&mut self, mut family: Family, fault: Option<(FaultKind, usize)>) -> io::Result<()> {
        let clean = fault.map(|_| family.clone());
        let column = fault.map_or("", |(kind, member)| faults::apply(kind, &mut family, member));
        let fault = fault.zip(clean).map(|((kind, member), clean)| Fault { kind, member, column, clean });

        encode::row(&family.keluarga, self.options, &mut self.buffer);
        self.keluarga.write(&self.buffer)?;
        if let Some(fault) = fault.as_ref().filter(|fault| fault.kind.facts().file == File::Keluarga) {
            let (right, written) = (&fault.clean.keluarga, &family.keluarga);
            self.note(fault.kind, &family, None, fault.column, [right, written]);
        }
        if self.stale {
            let row = &family.keluarga;
            self.note(FaultKind::Older, &family, None, "", [row, row]);
        }
        for (at, member) in family.members.iter().enumerate() {
            encode::row(&member.anggota, self.options, &mut self.buffer);
            let own = fault.as_ref().filter(|f| f.member == at && f.kind.facts().file == File::Anggota);
            if let Some(fault) = own {
                encode::damage(fault.kind, self.options.delimiter, &mut self.buffer);
            }
            self.anggota.write(&self.buffer)?;
            if let Some(fault) = own {
                let rows = [&fault.clean.members[at].anggota, &member.anggota];
                self.note(fault.kind, &family, Some(at), fault.column, rows);
            }
            let rows = [&member.anggota, &member.anggota];
            if member.person.region != self.population.region {
                self.note(FaultKind::ListedElsewhere, &family, Some(at), "nomor_induk_kependudukan", rows);
            } else if self.stale {
                self.note(FaultKind::Older, &family, Some(at), "", rows);
            }
        }
        Ok(())
    }

    /// Notes a fault of the line that was written last.
    fn note(
        &mut self,
        kind: FaultKind,
        family: &Family,
        member: Option<usize>,
        column: &str,
        [right, written]: [&Row; 2],
    ) {
        let facts = kind.facts();
        let text = |row: &Row| if column.is_empty() { String::new() } else { row.text(column) };
        let (file, line) = match member {
            None => (File::Keluarga, self.keluarga.line),
            Some(_) => (File::Anggota, self.anggota.line),
        };
        self.truth.entries.push(TruthEntry {
            kind,
            region: self.population.region.to_string(),
            family: family.number,
            member,
            file,
            line,
            key: member.map_or(&family.kk, |at| &family.members[at].person.nik).clone(),
            column: column.to_owned(),
            written: text(written),
            right: text(right),
            seen_by: facts.seen_by,
            code: facts.code.to_owned(),
            warning: facts.warning,
        });
    }
}

struct Fault {
    kind: FaultKind,
    member: usize,
    column: &'static str,
    clean: Family,
}
