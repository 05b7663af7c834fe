//! The committed `src/gen` is what the schema says. `UPDATE_GEN=1 cargo test -p dtsen-proto --test gen` writes it anew.

use std::{fs, path::Path};

use prost as _;

const FILES: &[&str] = &[
    "record.proto",
    "batch.proto",
    "log.proto",
    "slice.proto",
    "exchange.proto",
    "enrolment.proto",
    "local.proto",
];

#[test]
fn generated_code_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = root.join("schema");
    let files: Vec<_> = FILES.iter().map(|f| schema.join("dtsen/v1").join(f)).collect();
    let descriptors = protox::compile(&files, [&schema]).expect("the schema compiles");
    let out = tempfile::tempdir().expect("a folder");
    tonic_prost_build::configure()
        .out_dir(out.path())
        .build_client(true)
        .build_server(true)
        .compile_fds(descriptors)
        .expect("code is generated");
    let fresh = fs::read_to_string(out.path().join("dtsen.v1.rs")).expect("the file is there");
    let committed = root.join("src/gen/dtsen.v1.rs");
    if std::env::var_os("UPDATE_GEN").is_some() {
        fs::create_dir_all(committed.parent().expect("a folder")).expect("the folder is made");
        fs::write(&committed, &fresh).expect("the file is written");
    }
    let current = fs::read_to_string(&committed).unwrap_or_default();
    assert!(
        fresh == current,
        "src/gen differs from schema/: run UPDATE_GEN=1 cargo test -p dtsen-proto --test gen"
    );
}
