//! Whatever is edited in a file between two imports, the deltas together say what the file says.

use proptest::prelude::*;

use super::*;

/// One edit of the files.
#[derive(Debug, Clone)]
enum Edit {
    Floor(usize, &'static str),
    Village(usize, &'static str),
    Marital(usize, usize, &'static str),
    Name(usize, usize, &'static str),
    Remove(usize),
    Add(u32),
    Swap(usize, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let (family, member) = (0..12usize, 0..2usize);
    prop_oneof![
        (family.clone(), prop_oneof![Just(""), Just("1"), Just("3"), Just("99"), Just("kayu apa")])
            .prop_map(|(f, v)| Edit::Floor(f, v)),
        (family.clone(), prop_oneof![Just("DAYAN PEKEN"), Just("AMPENAN TENGAH")])
            .prop_map(|(f, v)| Edit::Village(f, v)),
        (family.clone(), member.clone(), prop_oneof![Just(""), Just("1"), Just("2"), Just("77")])
            .prop_map(|(f, m, v)| Edit::Marital(f, m, v)),
        (family.clone(), member, prop_oneof![Just("SITI"), Just("  SITI "), Just("NUR HAYATI")])
            .prop_map(|(f, m, v)| Edit::Name(f, m, v)),
        family.clone().prop_map(Edit::Remove),
        (12..20u32).prop_map(Edit::Add),
        (family.clone(), family).prop_map(|(a, b)| Edit::Swap(a, b)),
    ]
}

fn apply(families: &mut Vec<Family>, edit: &Edit) {
    let count = families.len();
    let member = |families: &mut Vec<Family>, f: usize, m: usize, change: &dyn Fn(&mut Member)| {
        if let Some(member) = families.get_mut(f).and_then(|family| family.members.get_mut(m)) {
            change(member);
        }
    };
    match edit {
        Edit::Floor(f, value) if *f < count => families[*f].floor = (*value).into(),
        Edit::Village(f, value) if *f < count => families[*f].village = value,
        Edit::Marital(f, m, value) => member(families, *f, *m, &|member| member.marital = (*value).into()),
        Edit::Name(f, m, value) => member(families, *f, *m, &|member| member.name = (*value).into()),
        Edit::Remove(f) if *f < count => drop(families.remove(*f)),
        Edit::Add(n) if families.iter().all(|other| other.kk != family(*n).kk) => families.push(family(*n)),
        Edit::Swap(a, b) if *a < count && *b < count => families.swap(*a, *b),
        _ => {}
    }
}

/// What a fresh node says of the files: rows with errors are not in it.
async fn said_afresh(families: &[Family]) -> BTreeMap<String, BTreeMap<Column, Value>> {
    let fresh = Node::new().await;
    fresh.import(families).await;
    fold(&fresh.pending().await)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn deltas_together_say_what_the_file_says(
        rounds in proptest::collection::vec(proptest::collection::vec(edit(), 0..6), 1..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let node = Node::new().await;
            let mut all = families(12);
            node.import(&all).await;
            for edits in &rounds {
                for edit in edits {
                    apply(&mut all, edit);
                }
                node.import(&all).await;
                let again = node.import(&all).await;
                prop_assert_eq!(figures(&again)[4], 0, "the same again");
            }
            let (said, file) = (fold(&node.pending().await), said_afresh(&all).await);
            for (number, record) in &file {
                prop_assert_eq!(said.get(number), Some(record), "{}", number);
            }
            Ok(())
        })?;
    }
}
