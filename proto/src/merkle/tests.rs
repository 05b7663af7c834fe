use super::*;

/// The leaves of RFC 6962's reference implementation (certificate-transparency `merkle_tree_test`).
fn reference_leaves() -> Vec<Hash> {
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
        .iter()
        .map(|h| leaf_hash(&hex::decode(h).expect("hex")))
        .collect()
}

#[test]
fn roots_equal_the_reference_implementation() {
    let expected = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let leaves = reference_leaves();
    for (size, root_hex) in (1..).zip(expected) {
        assert_eq!(hex::encode(root(&leaves[..size])), root_hex, "size {size}");
    }
    assert_eq!(hex::encode(root(&[])), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

fn many(n: u64) -> Vec<Hash> {
    (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

#[test]
fn a_frontier_grows_to_the_same_root_and_stores_what_proofs_need() {
    let leaves = many(70);
    let mut stored = std::collections::BTreeMap::new();
    let mut frontier = Frontier::default();
    for (i, leaf) in leaves.iter().enumerate() {
        stored.extend(frontier.push(*leaf));
        assert_eq!(frontier.root(), root(&leaves[..=i]));
        let hashes = Frontier::nodes(frontier.size()).iter().map(|n| stored[n]).collect();
        assert_eq!(Frontier::resume(frontier.size(), hashes), Some(frontier.clone()));
    }
    let build = |plan: &ProofPlan| {
        let hashes: Vec<_> = plan.nodes().iter().map(|n| stored[n]).collect();
        plan.build(&hashes).expect("every node is stored")
    };
    for size in 1..=70u64 {
        let top = root(&leaves[..usize::try_from(size).expect("small")]);
        for index in 0..size {
            let plan = ProofPlan::inclusion(index, size).expect("inside");
            let path = build(&plan);
            let leaf = leaves[usize::try_from(index).expect("small")];
            assert_eq!(root_from_inclusion(leaf, index, size, &path), Some(top));
            assert_ne!(root_from_inclusion(empty_root(), index, size, &path), Some(top));
        }
        for old in 0..=size {
            let proof = build(&ProofPlan::consistency(old, size).expect("older"));
            let old_root = root(&leaves[..usize::try_from(old).expect("small")]);
            assert!(is_consistent(old, &old_root, size, &top, &proof), "{old} in {size}");
            if old > 0 {
                assert!(!is_consistent(old, &empty_root(), size, &top, &proof), "{old} in {size}");
                assert!(!is_consistent(old, &old_root, size, &empty_root(), &proof), "{old} in {size}");
            }
        }
    }
}
