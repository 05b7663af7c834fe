//! Files of mappings that a region wrote itself.

use std::{
    io::{ErrorKind, Read as _},
    path::Path,
    sync::Arc,
};

use dtsen_proto::rulebook::Rulebook;
use dtsen_sources::{mapping::MAX_BYTES, preset::Preset};

use super::SourceError;

/// Reads a mapping: a regular file, of bounded size, before anything of it is held.
pub fn mapping(path: &Path, rulebook: &Rulebook) -> Result<Arc<Preset>, SourceError> {
    let wrong = |cause: String| SourceError::Mapping { path: path.to_owned(), cause };
    let text = text(path).map_err(wrong)?;
    Preset::mapping(&text, rulebook).map(Arc::new).map_err(|error| wrong(error.to_string()))
}

/// Why a mapping cannot be read, and what to do.
fn unread(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "berkas pemetaan tidak ada. Periksa namanya, atau buat usulan: \
                                dtsen-node source map BERKAS -o PEMETAAN.toml"
            .to_owned(),
        ErrorKind::PermissionDenied => "berkas pemetaan tidak boleh dibaca. Periksa izinnya".to_owned(),
        _ => format!("berkas pemetaan tidak dapat dibaca. Periksa nama dan izinnya [{error}]"),
    }
}

fn text(path: &Path) -> Result<String, String> {
    // Asked before it is opened: a pipe would wait for ever.
    let about = std::fs::metadata(path).map_err(|error| unread(&error))?;
    if !about.is_file() {
        return Err(
            "bukan berkas biasa. Sebutkan berkas pemetaan (TOML), bukan folder, pipa, atau perangkat".into(),
        );
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| unread(&error))?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unread(&error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!(
            "lebih besar dari {} KB, bukan pemetaan. Buat usulan baru: dtsen-node source map BERKAS -o PEMETAAN.toml",
            MAX_BYTES >> 10
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let read = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = read.split(|byte| *byte == b'\n').count();
        format!("baris {line}: bukan teks UTF-8. Simpan berkas pemetaan sebagai UTF-8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_small_regular_file_is_refused() {
        let kept = tempfile::tempdir().expect("a folder");
        let file = |name: &str, bytes: &[u8]| {
            let path = kept.path().join(name);
            std::fs::write(&path, bytes).expect("writes");
            path
        };
        let large = vec![b'#'; usize::try_from(MAX_BYTES).expect("fits") + 1];
        for (path, words) in [
            (kept.path().to_owned(), "bukan berkas biasa"),
            ("/dev/zero".into(), "bukan berkas biasa"),
            (kept.path().join("tidak-ada"), "tidak ada"),
            (file("besar", &large), "lebih besar dari 256 KB"),
            (file("biner", b"name = \"a\"\n\xff\xfe"), "baris 2: bukan teks UTF-8"),
            (file("salah", b"name = \"a\"\ntitle"), "baris 2: bukan TOML yang benar"),
        ] {
            let told = mapping(&path, &Rulebook::builtin()).expect_err(words).to_string();
            assert!(told.contains(words) && told.starts_with(&path.display().to_string()), "{told}");
        }
    }
}
