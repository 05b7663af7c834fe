//! A proposal as a mapping file, for a person to read and change.

use std::fmt::Write as _;

use super::Proposal;
use crate::{clean::text::clean, preset::Kind};

const HEAD: &str = "\
# Usulan pemetaan. Periksa tiap kolom, ubah bila perlu, lalu coba: dtsen-node preview BERKAS --mapping BERKAS-INI
# Angka di belakang # ialah keyakinan. Usulan di bawah 50 % ditulis sebagai catatan (# di depan) dan kolomnya diabaikan:
# bila benar, hapus # di depannya dan hapus baris \"-\" di bawahnya.
# Peran: nik, no_kk, nama, nama_kepala, jenis_kelamin, tempat_lahir, tanggal_lahir, tempat_tanggal_lahir, hubungan,
# status_kawin, alamat, dusun, rt, rw, rt_rw, desa, kecamatan, kabupaten, provinsi, kode_desa, pekerjaan, pendidikan,
# status_dasar; kolom:NAMA_KOLOM_DTSEN untuk kolom lain; - untuk diabaikan.
# Kolom kedua berjudul sama: \"nama (2)\", dihitung dari kiri. Kolom ketiga bila tanpa judul: \"kolom 3\".
";
const EXAMPLES: &str = r#"
# Kata sendiri: "jk" = "jenis_kelamin@kelamin" di atas, dan di sini artinya.
# [tables.kelamin]
# pria = 1
# wanita = 2

# Yang tidak ditulis di kolom mana pun.
# [constants]
# desa = "NAMA DESA"

# Baris yang dilewati.
# [[skip]]
# column = "keterangan"
# is = ["batal"]

# Kolom yang dibuat dari kolom lain: join (gabung), split dan part (bagian ke-n), expression (rumus), bila perlu
# dengan syarat when. Kolom asalnya diberi - di atas bila tidak dipakai sendiri.
# [[derive]]
# for = "alamat"
# from = ["jalan", "nomor"]
# join = " "
# [[derive]]
# for = "rt"
# from = "rt rw"
# split = "/"
# part = 1
# when = { column = "rt rw", empty = false }
# [[derive]]
# for = "jenis_kelamin"
# from = "sapaan"
# expression = 'if kolom("sapaan") == "Ibu" { "P" } else { () }'
"#;

impl Proposal {
    /// As a mapping file; `name` is what the layout is called, `about` what is said of the sheet it is for.
    pub fn to_toml(&self, name: &str, about: &str) -> String {
        let mut text = String::from(HEAD);
        for line in about.lines() {
            let _ = writeln!(text, "# {}", clean(line));
        }
        let quoted = |text: &str| toml::Value::String(clean(text).into_owned());
        let source = quoted(&self.preset.source);
        let _ = write!(text, "\nname = {}\ntitle = \"Pemetaan sendiri\"\nsource = {source}", quoted(name));
        // Recognised by layouts that nobody has seen yet: a person says whose data it is.
        text.push_str(if self.preset.seen {
            "\n"
        } else {
            "  # perkiraan dari judul kolom; tulis \"lokal\" bila bukan\n"
        });
        match self.preset.kind {
            Some(Kind::Individu) => text.push_str("kind = \"individu\"\n"),
            Some(Kind::Keluarga) => text.push_str("kind = \"keluarga\"\n"),
            None => {}
        }
        if self.preset.family_once {
            text.push_str("family_once = true\n");
        }
        text.push_str("\n[columns]\n");
        for column in &self.columns {
            let (key, confidence, why) = (quoted(&column.key), column.confidence, clean(&column.why));
            match (&column.target, column.used()) {
                (_, Some(target)) => {
                    let _ = writeln!(text, "{key} = \"{target}\"  # {confidence} %: {why}");
                }
                (Some(target), None) => {
                    let _ = writeln!(text, "# {key} = \"{target}\"  # {confidence} %: {why}\n{key} = \"-\"");
                }
                (None, None) => {
                    let _ = writeln!(text, "{key} = \"-\"  # {confidence} %: {why}");
                }
            }
        }
        self.codes(&mut text);
        text.push_str(EXAMPLES);
        if let Some(born) = &self.born {
            let from = toml::Value::from(born.to_vec());
            let _ = write!(text, "\n[[derive]]\nfor = \"tanggal_lahir\"\nfrom = {from}\njoin = \"-\"\n");
        }
        text
    }

    /// What the numbers mean in the layout that was recognised.
    fn codes(&self, text: &mut String) {
        text.push_str("\n# Arti angka: dtsen, shdk (Dukcapil), dukcapil.");
        match toml::to_string(&self.preset.codes) {
            Ok(codes) if codes.lines().any(|line| !line.contains("\"unknown\"")) => {
                let _ = write!(text, "\n[codes]\n{codes}");
            }
            _ => text.push_str(
                " Hapus tanda # bila dipakai.\n# [codes]\n# hubungan = \"shdk\"\n# pekerjaan = \"dukcapil\"\n",
            ),
        }
    }
}
