//! What people and programs show to be let in.

use gatewarden_credentials::{ApiKey, GatewayCredential};
use gatewarden_types::{Entropy, Id};
use uuid::Uuid;

use crate::take;

/// An API key: whatever is read has the text that it was read from, and nothing but a key's own text is read as it.
pub fn key_text(bytes: &[u8]) {
    assert_one_spelling(bytes);
    // A fuzzer does not guess the check sum, so it is also given keys, and changes one character.
    let mut rest = bytes;
    let (id, secret, [at, other]) = (take::<16>(&mut rest), take::<32>(&mut rest), take::<2>(&mut rest));
    let entropy = Entropy::new(move |filled| filled.copy_from_slice(&secret));
    let key = ApiKey::generate(Id::from_uuid(Uuid::from_bytes(id)), &entropy);
    let mut text = key.text().expose().clone().into_bytes();
    assert!(ApiKey::parse(&text).expect("a key's own text").matches(&key.verifier()));
    let at = usize::from(at) % text.len();
    text.splice(at..=at, [other]);
    assert_one_spelling(&text);
}

fn assert_one_spelling(bytes: &[u8]) {
    if let Ok(key) = ApiKey::parse(bytes) {
        assert_eq!(key.text().expose().as_bytes(), bytes);
    }
}

/// A gateway's credential: whatever is read has the text that it was read from, but for white space around it.
pub fn gateway_credential(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(credential) = text.parse::<GatewayCredential>() {
        assert_eq!(credential.text().expose(), text.trim());
        assert!(credential.matches(&credential.verifier()));
    }
}
