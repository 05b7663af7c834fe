use super::*;

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).expect("hex")
}

/// RFC 8032 §7.1, TEST 1 to 3.
#[test]
fn signs_and_verifies_as_rfc_8032_says() {
    let vectors = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ];
    for (seed, public, message, signature) in vectors {
        let signer = Signer::from_seed(&bytes(seed).try_into().expect("32 bytes"));
        assert_eq!(signer.public().as_bytes().as_slice(), bytes(public));
        assert_eq!(signer.sign(&bytes(message)).as_slice(), bytes(signature));
        let key = PublicKey::from_slice(&bytes(public)).expect("a good key");
        assert!(key.verifies(&bytes(message), &bytes(signature)));
        assert!(!key.verifies(b"other", &bytes(signature)));
    }
}

#[test]
fn refuses_weak_and_non_canonical_keys() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert_eq!(PublicKey::from_slice(&neutral), Err(KeyFault::Weak));
    let order_eight = bytes("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a");
    assert_eq!(PublicKey::from_slice(&order_eight), Err(KeyFault::Weak));
    // y = p + 3 encodes y = 3 a second time.
    let mut second_encoding = [0xff; 32];
    second_encoding[0] = 0xf0;
    second_encoding[31] = 0x7f;
    assert!(PublicKey::from_slice(&second_encoding).is_err());
    assert_eq!(PublicKey::from_slice(&[1; 31]), Err(KeyFault::Encoding));
}

/// Adding the group order to S gives a second signature to lenient verifiers.
#[test]
fn refuses_a_non_canonical_s() {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let signer = Signer::from_seed(&[7; 32]);
    let mut signature = signer.sign(b"x");
    assert!(signer.public().verifies(b"x", &signature));
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert!(!signer.public().verifies(b"x", &signature));
}

#[test]
fn a_fingerprint_has_six_groups_and_depends_on_every_part() {
    let one = fingerprint(&[b"ab", b"c"]);
    assert_eq!(one.len(), 6 * 4 + 5);
    assert_ne!(one, fingerprint(&[b"a", b"bc"]));
}
