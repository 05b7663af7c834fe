//! One line of strace's output: the call, its arguments, its result. Pure.

use anyhow::{Context as _, bail};

/// A call that ended, with the lines of the trace at which it began and ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Thread.
    pub thread: u32,
    /// First line.
    pub began: usize,
    /// Line with the result.
    pub ended: usize,
    /// Name.
    pub name: String,
    /// Arguments, as written.
    pub arguments: Vec<String>,
    /// Result; negative where it failed.
    pub result: i64,
}

/// Calls of a trace, in the order in which they ended; what is broken off by a kill never ended and is left out.
pub fn calls(text: &str) -> anyhow::Result<Vec<Call>> {
    let mut open = std::collections::BTreeMap::<u32, (usize, &str)>::new();
    let mut calls = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let thread: u32 = thread.parse().with_context(|| format!("line {at} begins with no thread"))?;
        let rest = rest.trim_start();
        if rest.starts_with("+++") || rest.starts_with("---") {
            continue;
        }
        if let Some(begun) = rest.strip_suffix(" <unfinished ...>") {
            open.insert(thread, (at, begun));
        } else if let Some(resumed) = rest.strip_prefix("<... ") {
            let Some((began, first)) = open.remove(&thread) else { continue };
            let (_, second) = resumed.split_once(" resumed>").context("a resumed call")?;
            calls.extend(call(thread, (began, at), &format!("{first}{second}"))?);
        } else {
            calls.extend(call(thread, (at, at), rest)?);
        }
    }
    Ok(calls)
}

fn call(thread: u32, (began, ended): (usize, usize), text: &str) -> anyhow::Result<Option<Call>> {
    let wrong = || format!("line {ended}: {}", &text[..text.len().min(120)]);
    let (name, rest) = text.split_once('(').with_context(wrong)?;
    let (arguments, told) = rest.rsplit_once(" = ").with_context(wrong)?;
    let arguments = arguments.trim_end().strip_suffix(')').with_context(wrong)?;
    let number = told.split(['<', ' ']).next().unwrap_or_default();
    // `?`: the process ended in the call.
    let result = match number.strip_prefix("0x") {
        Some(digits) => i64::try_from(u64::from_str_radix(digits, 16)?).unwrap_or(i64::MAX),
        None if number == "?" => return Ok(None),
        None => number.parse().with_context(wrong)?,
    };
    Ok(Some(Call { thread, began, ended, name: name.to_owned(), arguments: split(arguments), result }))
}

/// Arguments at the top level.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut depth, mut quoted, mut from) = (Vec::new(), 0_u32, false, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'(' | b'[' | b'{' if !quoted => depth += 1,
            b')' | b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            b',' if depth == 0 && !quoted => {
                parts.push(text[from..at].trim().to_owned());
                from = at + 1;
            }
            _ => {}
        }
    }
    if !text[from..].trim().is_empty() {
        parts.push(text[from..].trim().to_owned());
    }
    parts
}

/// What strace says a descriptor is of: a path, or `TCP:[from->to]`.
pub fn annotation(argument: &str) -> anyhow::Result<Option<String>> {
    let Some((_, rest)) = argument.split_once('<') else { return Ok(None) };
    let Some((inside, _)) = rest.rsplit_once('>') else { return Ok(None) };
    if !inside.starts_with("\\x") {
        return Ok(Some(inside.into()));
    }
    // After the path of a device stands which one it is.
    let path = inside.split('<').next().unwrap_or_default();
    Ok(Some(String::from_utf8(hex(path)?)?))
}

/// All strings in an argument, joined: one for a buffer, several for a vector of buffers.
pub fn bytes(argument: &str) -> anyhow::Result<Vec<u8>> {
    let mut found = Vec::new();
    for (at, part) in argument.split('"').enumerate() {
        if at % 2 == 1 {
            found.extend(hex(part)?);
        }
    }
    Ok(found)
}

fn hex(text: &str) -> anyhow::Result<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (letters, rest) = text.as_bytes().as_chunks::<4>();
    let read = |letter: &[u8; 4]| match letter {
        [b'\\', b'x', high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    };
    let found: Option<Vec<u8>> = letters.iter().map(read).collect();
    match found.filter(|_| rest.is_empty()) {
        Some(found) => Ok(found),
        None => bail!("a string of the trace is not hexadecimal: {}", &text[..text.len().min(40)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_threads_are_put_together() {
        let trace = "7 pwrite64(3<\\x2f\\x61>, \"\\x68\\x69\", 2, 4096 <unfinished ...>\n\
                     8 fdatasync(3<\\x2f\\x61>)        = 0\n\
                     7 <... pwrite64 resumed>) = 2\n\
                     7 sendto(9<TCP:[127.0.0.1:5->127.0.0.1:6]>, \"\\x00\", 1, MSG_NOSIGNAL, NULL, 0) = 1\n\
                     7 read(4<\\x2f\\x62>, <unfinished ...>\n\
                     7 +++ killed by SIGKILL +++\n";
        let calls = calls(trace).expect("reads");
        assert_eq!(calls.len(), 3);
        assert_eq!((calls[0].name.as_str(), calls[0].began, calls[0].ended), ("fdatasync", 1, 1));
        let write = &calls[1];
        assert_eq!((write.began, write.ended, write.result), (0, 2, 2));
        assert_eq!(annotation(&write.arguments[0]).expect("a path").as_deref(), Some("/a"));
        assert_eq!(bytes(&write.arguments[1]).expect("a buffer"), b"hi");
        assert_eq!(write.arguments[3], "4096");
        let link = annotation(&calls[2].arguments[0]).expect("a link");
        assert_eq!(link.as_deref(), Some("TCP:[127.0.0.1:5->127.0.0.1:6]"));
    }

    #[test]
    fn a_string_cut_short_is_not_read_as_whole() {
        assert!(bytes("\"\\x68\\x6\"").is_err());
        assert_eq!(
            bytes("[{iov_base=\"\\x61\", iov_len=1}, {iov_base=\"\\x62\", iov_len=1}]").expect("a vector"),
            b"ab"
        );
    }
}
