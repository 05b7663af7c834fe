//! What operators read and write on a terminal: lines that may end in a pipe, and wrong words answered in Indonesian.

use std::{
    fmt,
    io::{self, Write as _},
    path::PathBuf,
};

use clap::{
    Arg, ArgAction, Command, Parser,
    builder::{PathBufValueParser, StringValueParser, TypedValueParser},
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::secret::masked;

/// Prints a line, as `println!` does. A reader that has seen enough (`| head`) is no failure.
#[macro_export]
macro_rules! say {
    ($($arg:tt)*) => { $crate::terminal::say(::core::format_args!($($arg)*)) };
}

/// Exit code for a command line that cannot be read.
const WRONG_WORDS: i32 = 2;

/// What [`say!`] does. Where the line cannot be written for another reason the program ends: half of an answer must not
/// look like a whole one.
pub fn say(line: fmt::Arguments<'_>) {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("Gagal: keluaran tidak dapat ditulis ({error})");
            std::process::exit(1);
        }
        _ => {}
    }
}

/// Prints a value as JSON.
pub fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    say!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// A table for people.
pub fn table(headings: &[&str]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY).set_header(headings);
    table
}

/// Help as clap lays it out, with Indonesian words.
const HELP: &str = "{before-help}{about-with-newline}\nPemakaian: {usage}\n\n{all-args}{after-help}";

/// A command whose help is in Indonesian throughout. Its own options stand under `options`, those of its commands under "Pilihan".
fn in_indonesian(command: Command, options: &'static str) -> Command {
    let help = Arg::new("bantuan").short('h').long("help").action(ArgAction::Help);
    command
        .help_template(HELP)
        .subcommand_help_heading("Perintah")
        .subcommand_value_name("PERINTAH")
        .disable_help_subcommand(true)
        .disable_help_flag(true)
        .arg(help.help("Menampilkan bantuan ini"))
        .mut_args(|arg| {
            let heading = if arg.is_positional() { "Isian" } else { options };
            arg.help_heading(heading)
        })
        .mut_subcommands(|inner| in_indonesian(inner, "Pilihan"))
}

/// The command line of a program, its help in Indonesian.
fn command<C: Parser>() -> Command {
    let version = Arg::new("versi").short('V').long("version").action(ArgAction::Version);
    let version = version.help("Menampilkan versi program");
    in_indonesian(C::command().disable_version_flag(true).arg(version), "Umum")
}

/// Reads the command line of this process.
pub fn parse<C: Parser>() -> C {
    let read = command::<C>().try_get_matches().and_then(|matches| C::from_arg_matches(&matches));
    read.unwrap_or_else(|error| {
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            error.exit();
        }
        let words: Vec<String> = std::env::args().skip(1).collect();
        let told =
            format!("Perintah salah: {}; lihat: {} --help", wrong(&error), place(C::command(), &words));
        eprintln!("{}", masked(&told));
        std::process::exit(WRONG_WORDS);
    })
}

/// The address of a database where a file or a name belongs.
#[derive(Debug, thiserror::Error)]
#[error("itu alamat basis data. Alamat ditulis sebagai asal: source add NAMA ALAMAT, atau preview ALAMAT")]
pub struct IsAddress;

/// Takes a file, whatever its name, but not the address of a database: who mistook the order hears it at once.
pub fn file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.to_str() {
        Some(text) if is_address(text) && !path.exists() => Err(IsAddress),
        _ => Ok(path),
    })
}

/// Takes a name, but not the address of a database.
pub fn name() -> impl TypedValueParser<Value = String> {
    StringValueParser::new().try_map(|name| if is_address(&name) { Err(IsAddress) } else { Ok(name) })
}

fn is_address(text: &str) -> bool {
    text.contains("://")
}

/// The program with the commands that were understood.
fn place(mut command: Command, words: &[String]) -> String {
    let mut place = command.get_name().to_owned();
    for word in words {
        if let Some(inner) = command.find_subcommand(word).cloned() {
            place = format!("{place} {word}");
            command = inner;
        }
    }
    place
}

/// What is wrong. A value is never told again: it may be somebody's number.
fn wrong(error: &clap::Error) -> String {
    let told = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        _ => String::new(),
    };
    let argument = told(ContextKind::InvalidArg);
    let perhaps = |kind| match told(kind) {
        text if text.is_empty() => text,
        text => format!(" (mungkin maksud Anda {text})"),
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let command = told(ContextKind::InvalidSubcommand);
            format!("perintah {command} tidak ada{}", perhaps(ContextKind::SuggestedSubcommand))
        }
        ErrorKind::UnknownArgument => {
            format!("pilihan {argument} tidak ada{}", perhaps(ContextKind::SuggestedArg))
        }
        ErrorKind::MissingRequiredArgument => format!("masih kurang {argument}"),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "sebut perintahnya".into()
        }
        ErrorKind::ValueValidation
            if std::error::Error::source(error)
                .and_then(|cause| cause.downcast_ref::<IsAddress>())
                .is_some() =>
        {
            format!("isi {argument} tidak dapat dipakai: {IsAddress}")
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let choices = told(ContextKind::ValidValue);
            let hint =
                if choices.is_empty() { hint(&argument).to_owned() } else { format!(", pilih: {choices}") };
            format!("isi {argument} tidak dapat dipakai{hint}")
        }
        ErrorKind::ArgumentConflict => {
            format!("{argument} tidak dapat dipakai bersama {}", told(ContextKind::PriorArg))
        }
        _ => "baris perintah tidak dapat dibaca".into(),
    }
}

/// How a value is written.
fn hint(argument: &str) -> &'static str {
    let argument = argument.to_lowercase();
    if argument.contains("tanggal") {
        ", tanggal ditulis TTTT-BB-HH, misalnya 2026-12-31"
    } else if argument.contains("region") || argument.contains("daerah") {
        ", kode daerah ditulis dengan titik, misalnya 52.71"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Parser)]
    #[command(name = "program", version)]
    struct Line {
        #[command(subcommand)]
        command: Inner,
    }

    #[derive(Debug, clap::Subcommand)]
    enum Inner {
        Init {
            #[arg(long)]
            region: u8,
            #[arg(long, value_name = "TANGGAL")]
            day: Option<u8>,
            #[arg(long, value_parser = file())]
            mapping: Option<PathBuf>,
            #[arg(long, value_parser = name())]
            source: Option<String>,
        },
    }

    fn answer(words: &[&str]) -> String {
        let error = Line::try_parse_from([&["program"], words].concat()).expect_err("wrong words");
        wrong(&error)
    }

    #[test]
    fn wrong_words_are_told_without_their_values() {
        assert_eq!(answer(&["init"]), "masih kurang --region <REGION>");
        assert_eq!(
            answer(&["init", "--region", "5271014101909001"]),
            "isi --region <REGION> tidak dapat dipakai, kode daerah ditulis dengan titik, misalnya 52.71"
        );
        assert!(answer(&["init", "--region", "1", "--day", "x"]).contains("2026-12-31"));
        for option in ["--mapping", "--source"] {
            let told = answer(&["init", "--region", "1", option, "mysql://a:rahasia@h/d"]);
            assert!(told.contains("itu alamat basis data") && !told.contains("rahasia"), "{told}");
        }
        assert_eq!(answer(&["int"]), "perintah int tidak ada (mungkin maksud Anda init)");
        assert_eq!(
            answer(&["init", "--regoin", "1"]),
            "pilihan --regoin tidak ada (mungkin maksud Anda --region)"
        );
        assert_eq!(answer(&[]), "sebut perintahnya");
        let help = command::<Line>().render_help().to_string();
        for english in ["Usage", "Options:", "Commands", "Print"] {
            assert!(!help.contains(english), "{help}");
        }
        assert_eq!(
            place(<Line as clap::CommandFactory>::command(), &["init".into(), "x".into()]),
            "program init"
        );
    }
}
