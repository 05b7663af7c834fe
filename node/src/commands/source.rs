//! `source`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use dtsen_kit::{
    ambient::Ambient,
    files, say,
    terminal::{file, name},
};
use dtsen_proto::record::is_source_name;

use super::{
    Bars, Document, Done, Imported,
    map::Map,
    preview::{Preview, tables},
    print_json, table,
};
use crate::{
    home::{Home, Work},
    source::{
        self,
        address::without_password,
        config::{self, Config, ConfigError, State},
        run::{Confirmed, Ran, Runner, same_headings},
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Source {
    /// Menambahkan sumber: berkas atau basis data yang sudah dimiliki daerah
    Add(Add),
    /// Sumber yang ada, kapan terakhir dibaca, dan alarmnya
    List(List),
    /// Mencoba membaca sumber tanpa mengimpor: sambungan, susunan, jumlah baris
    Test(Named),
    /// Pratinjau isi sumber, berkas, atau basis data, tanpa menyimpan; sama dengan: dtsen-node preview
    Preview(Preview),
    /// Membaca sumber dan mengimpor yang berubah
    Run(Run),
    /// Mengusulkan pemetaan untuk berkas dengan judul yang tidak dikenal
    Map(Map),
    /// Melupakan sumber; data yang sudah dikirim tetap
    Remove(Named),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// Nama pendek, diawali jenis sumbernya, misalnya opensid-senggigi
    #[arg(value_name = "NAMA", value_parser = name())]
    name: String,
    /// Berkas CSV, XLSX, XLS, ODS, SQLite, atau alamat: mysql://akun@host/db, postgres://akun@host/db
    #[arg(value_name = "ASAL")]
    origin: String,
    /// Susunan; bawaan: dikenali sendiri
    #[arg(long, value_name = "SUSUNAN", value_parser = name())]
    preset: Option<String>,
    /// Berkas pemetaan buatan sendiri (TOML), lihat: dtsen-node source map
    #[arg(long, value_name = "BERKAS", value_parser = file(), conflicts_with = "preset")]
    mapping: Option<PathBuf>,
    /// Tabel basis data yang dibaca, boleh berulang; bawaan: yang tampak seperti daftar penduduk
    #[arg(long = "table", value_name = "TABEL")]
    tables: Vec<String>,
    /// Kode Kemendagri asal data; bawaan: daerah node ini
    #[arg(long, value_name = "KODE")]
    wilayah: Option<String>,
    /// Dibaca sendiri oleh node yang berjalan (serve), misalnya 15m atau 1h
    #[arg(long, value_name = "WAKTU")]
    every: Option<String>,
    /// Berapa lama basis data boleh diam sebelum dianggap macet; bawaan: 60s
    #[arg(long, value_name = "WAKTU")]
    patience: Option<String>,
    /// Berkas berisi kata sandi
    #[arg(long, value_name = "BERKAS", value_parser = file(), conflicts_with = "password_env")]
    password_file: Option<PathBuf>,
    /// Variabel lingkungan berisi kata sandi
    #[arg(long, value_name = "NAMA")]
    password_env: Option<String>,
    /// Sumber hanya memuat sebagian data: yang tidak ada lagi tidak ditarik
    #[arg(long)]
    partial: bool,
    /// Mengganti sumber dengan nama ini
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// Nama sumber
    #[arg(value_name = "NAMA", value_parser = name())]
    name: String,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Untuk mesin
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Run {
    /// Nama sumber; tanpa nama: semua
    #[arg(value_name = "NAMA", value_parser = name())]
    name: Option<String>,
    /// Menyetujui penarikan sebanyak N baris, persis seperti yang diminta
    #[arg(long, value_name = "N", requires = "name")]
    confirm_gone: Option<u64>,
    /// Menyetujui pengosongan N isian, persis seperti yang diminta
    #[arg(long, value_name = "N", requires = "name")]
    confirm_emptied: Option<u64>,
    /// Untuk mesin
    #[arg(long)]
    json: bool,
}

impl Source {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Done> {
        match self {
            Self::Add(command) => command.run(home).await,
            Self::List(command) => command.run(home).await,
            Self::Test(command) => test(home, &command.name).await,
            Self::Preview(command) => command.run(home).await,
            Self::Run(command) => command.run(home).await,
            Self::Map(command) => command.run(home).await,
            Self::Remove(command) => {
                let (store, _) = home.store().await?;
                let _lock = home.lock(Work::Import)?;
                let findings = config::remove(home, &store, &command.name).await?;
                let name = command.name;
                say!("Sumber {name} dilupakan. Data yang sudah masuk tetap ada.");
                if findings > 0 {
                    say!(
                        "{findings} temuan node ini tentang barisnya dihapus, karena tidak ada lagi yang membacanya. Temuan pusat tetap; untuk memperbaikinya tambahkan lagi sumbernya dengan nama {name}."
                    );
                }
                Ok(Done::Well)
            }
        }
    }
}

impl Add {
    async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let (store, region) = home.store().await?;
        if !is_source_name(&self.name) {
            return Err(ConfigError::Name(self.name).into());
        }
        let (origin, password) = without_password(&self.origin);
        let origin = match std::path::Path::new(&origin).canonicalize() {
            Ok(path) => path.display().to_string(),
            Err(_) => origin,
        };
        let mut config = Config {
            origin,
            preset: self.preset,
            mapping: self.mapping.map(std::path::absolute).transpose()?,
            tables: self.tables,
            wilayah: self.wilayah,
            every: self.every,
            patience: self.patience,
            password_file: self.password_file.map(std::path::absolute).transpose()?,
            password_env: self.password_env,
            complete: !self.partial,
        };
        config.pause()?;
        // Written only once the source is kept: a mistake must not cost another source its password.
        let given = match &password {
            Some(password) => {
                config.password_file = Some(std::path::absolute(config::secret_path(home, &self.name))?);
                Some(password.clone())
            }
            None => config.password()?,
        };
        let runner = Runner { home, store: &store, region, ambient: Ambient::system() };
        let settings = runner.settings(&config, home.rulebook(&store).await?)?;
        let read = source::read(&config.origin, given.as_deref(), &settings).await;
        let read = read.with_context(|| {
            let done = if self.replace { "diganti" } else { "ditambahkan" };
            format!("sumber {} tidak {done}; setelah beres jalankan lagi perintah ini", self.name)
        })?;
        let identity = &read
            .delivery
            .found()
            .max_by_key(|found| found.rows)
            .map(|found| found.plan.preset.source.clone());
        if let Some(identity) = identity {
            let rest = self.name.strip_prefix(identity.as_str());
            anyhow::ensure!(
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')),
                "nama sumber {0} harus diawali jenisnya, supaya pusat tahu asalnya: {identity}-{0}",
                self.name
            );
        }
        let is_new = config::save(home, &self.name, &config, self.replace)?;
        if let Some(password) = &password {
            files::write_private(&config::secret_path(home, &self.name), password.as_bytes())?;
        }
        if !is_new && !self.replace {
            say!("Sumber {} sudah ada, tidak ada yang diubah.", self.name);
            return Ok(Done::Well);
        }
        // Its columns and tables are from now on those that it has.
        config::set_state(&store, &self.name, &State::default()).await?;
        tables(&read.delivery, &read.notes);
        say!("Sumber {} ditambahkan: {}.", self.name, read.label);
        let often = config.every.map_or_else(String::new, |every| {
            format!(" (node yang berjalan, serve, membacanya sendiri tiap {every})")
        });
        let program = format!("dtsen-node --home {}", home.path().display());
        say!("Lihat isinya: {program} preview {0}", self.name);
        say!("Impor: {program} source run {}{often}", self.name);
        Ok(Done::Well)
    }
}

async fn test(home: &Home, name: &str) -> anyhow::Result<Done> {
    let (store, region) = home.store().await?;
    let config = config::load(home, name)?;
    let state = config::state(&store, name).await?;
    let runner = Runner { home, store: &store, region, ambient: Ambient::system() };
    let settings = runner.settings(&config, home.rulebook(&store).await?)?.of_tables(&state.tables);
    let read = source::read(&config.origin, config.password()?.as_deref(), &settings).await?;
    tables(&read.delivery, &read.notes);
    same_headings(name, &state, &read)?;
    say!("{} terbaca.", read.label);
    Ok(Done::Well)
}

struct Shown {
    name: String,
    config: Config,
    state: State,
}

impl Shown {
    /// For machines: every key of every source.
    fn document(&self) -> serde_json::Value {
        let Self { name, config, state } = self;
        serde_json::json!({
            "name": name,
            "origin": config.origin,
            "preset": config.preset,
            "mapping": config.mapping,
            "tables": config.tables,
            "tables_read": state.tables,
            "wilayah": config.wilayah,
            "every": config.every,
            "patience": config.patience,
            "password_file": config.password_file,
            "password_env": config.password_env,
            "complete": config.complete,
            "tried_ms": state.tried_ms,
            "well_ms": state.well_ms,
            "alarm": state.alarm,
            "rows": state.rows,
            "fingerprint": state.fingerprint,
            "headings": state.headings,
        })
    }
}

impl List {
    async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let (store, _) = home.store().await?;
        let mut all = Vec::new();
        for (name, config) in config::all(home)? {
            let state = config::state(&store, &name).await?;
            all.push(Shown { name, config, state });
        }
        if self.json {
            print_json(&all.iter().map(Shown::document).collect::<Vec<_>>())?;
            return Ok(Done::Well);
        }
        if all.is_empty() {
            say!("Belum ada sumber. Tambahkan: dtsen-node source add NAMA ASAL");
            return Ok(Done::Well);
        }
        let mut shown = table(&["Nama", "Asal", "Tiap", "Terakhir dibaca", "Baris", "Keadaan"]);
        for Shown { name, config, state } in &all {
            let at = jiff::Timestamp::from_millisecond(state.well_ms).ok().filter(|_| state.well_ms > 0);
            shown.add_row([
                name.as_str(),
                &config.origin,
                config.every.as_deref().unwrap_or("manual"),
                &at.map_or_else(|| "belum".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string()),
                &state.rows.to_string(),
                state.alarm.as_deref().unwrap_or("baik"),
            ]);
        }
        say!("{shown}");
        Ok(Done::Well)
    }
}

impl Run {
    /// Says something to people.
    fn tell(&self, text: &str) {
        if !self.json {
            say!("{text}");
        }
    }

    async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let (store, region) = home.store().await?;
        let names = match &self.name {
            Some(name) => vec![name.clone()],
            None => config::all(home)?.into_iter().map(|(name, _)| name).collect(),
        };
        if names.is_empty() && self.json {
            print_json(&names)?;
        }
        anyhow::ensure!(!names.is_empty(), "belum ada sumber; tambahkan: dtsen-node source add NAMA ASAL");
        let runner = Runner { home, store: &store, region, ambient: Ambient::system() };
        // All of them in one turn: one command is taken back by one `undo`.
        let turn = runner.turn().await?;
        let (mut failed, mut errors, mut documents) = (None, 0, Vec::new());
        for name in names {
            let mut bars = Bars::default();
            let mut progress = |file: &str, read: u64, total: u64| bars.at(file, read, total);
            let confirmed = Confirmed { gone: self.confirm_gone, emptied: self.confirm_emptied };
            let ran = runner.run(&turn, &name, confirmed, &mut progress).await;
            bars.finish();
            let mut error: Option<anyhow::Error> = None;
            let document = match ran {
                Ok(Ran::Unchanged) => {
                    self.tell(&format!("{name}: tidak ada yang berubah."));
                    Imported { unchanged: true, ..Imported::default() }
                }
                Ok(Ran::Imported(summary)) => {
                    errors += summary.errors();
                    self.tell(&summary.to_string());
                    if summary.gone_refused() {
                        let alarm = config::state(&store, &name).await?.alarm;
                        error = Some(anyhow::anyhow!(alarm.unwrap_or_default()));
                    }
                    Imported::from(&summary)
                }
                Err(cause) => {
                    error = Some(cause.into());
                    Imported::default()
                }
            };
            documents.push(Document::new(Imported { source: name, ..document }, error.as_ref()));
            // The others are read all the same.
            if let Some(before) = error.and_then(|error| failed.replace(error)) {
                self.tell(&format!("Gagal: {before:#}"));
            }
        }
        if self.json {
            print_json(&documents)?;
        }
        match failed {
            Some(error) => Err(error),
            None if errors > 0 => Ok(Done::WithErrors),
            None => Ok(Done::Well),
        }
    }
}
