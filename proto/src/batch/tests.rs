use super::*;

fn draft() -> Draft {
    let region = "52.71".parse().expect("a region");
    Draft {
        position: Position { region, epoch: 1, sequence: 1 },
        previous: BatchId::ZERO,
        rulebook: 1,
        generation: 1,
        log: (0, [0; 32]),
        created_ms: 0,
    }
}

#[test]
fn a_sealed_batch_opens_and_a_changed_one_does_not() {
    let signer = Signer::from_seed(&[3; 32]);
    let sealed = seal(&signer, &draft(), &[b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
    let header = open(&sealed.envelope, &signer.public()).expect("opens").into_inner();
    assert_eq!((header.count, header.body_length), (3, sealed.body.len() as u64));
    assert_eq!(check_body(&header, &sealed.body), Ok(None));
    for at in 0..sealed.body.len() {
        let mut body = sealed.body.clone();
        body[at] ^= 1;
        assert_eq!(check_body(&header, &body), Err(Refusal::BodyMismatch), "byte {at}");
    }
    assert_eq!(check_body(&header, &sealed.body[..sealed.body.len() - 1]), Err(Refusal::BodyMismatch));
}

#[test]
fn an_erased_delta_leaves_header_and_root_valid() {
    let signer = Signer::from_seed(&[3; 32]);
    let sealed = seal(&signer, &draft(), &[b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
    let header = open(&sealed.envelope, &signer.public()).expect("opens").into_inner();
    let erased = erase(&sealed.body, 1).expect("there is a second delta");
    let frames = check_frames(&header, &erased).expect("the root still fits");
    assert_eq!(frames[0], Frame::Delta(b"one"));
    assert_eq!(frames[1], Frame::Erased(merkle::leaf_hash(b"two")));
    assert_eq!(erase(&erased, 1), Some(erased.clone()));
    assert_eq!(erase(&erased, 3), None);
    assert_eq!(check_body(&header, &erased), Err(Refusal::BodyMismatch), "not when it arrives");
}

#[test]
fn what_is_over_a_limit_is_named() {
    let signer = Signer::from_seed(&[3; 32]);
    let sealed = seal(&signer, &draft(), &[vec![0; limits::MAX_DELTA_BYTES + 1]]);
    let header = open(&sealed.envelope, &signer.public()).expect("opens").into_inner();
    assert_eq!(check_body(&header, &sealed.body), Ok(Some(BodyRefusal::DeltaTooLarge)));
    let over = Header { body_length: limits::MAX_BODY_BYTES as u64 + 1, ..header.clone() };
    assert_eq!(refused_by_header(&over), Some(BodyRefusal::BodyTooLarge));
    let over = Header { count: 10_001, ..header.clone() };
    assert_eq!(refused_by_header(&over), Some(BodyRefusal::TooManyDeltas));
    assert_eq!(refused_by_header(&header), None);
}

#[test]
fn a_body_that_zstd_makes_longer_travels_as_it_is() {
    // Hashes: nothing for zstd to find.
    let noise: Vec<u8> = (0u32..64).flat_map(|n| merkle::leaf_hash(&n.to_be_bytes())).collect();
    let (encoding, bytes) = encode_body(&noise);
    assert_eq!((encoding, &bytes), (pb::BodyEncoding::Identity, &noise));
    assert_eq!(decode_body(encoding.into(), &bytes, noise.len()), Some(noise));
    let (encoding, bytes) = encode_body(&[7; 1000]);
    assert_eq!(encoding, pb::BodyEncoding::Zstd);
    assert!(bytes.len() < 100);
    assert_eq!(decode_body(encoding.into(), &bytes, 1000), Some(vec![7; 1000]));
}
