//! One who has a reader's secrets and the code of this crate: takes parcels apart, and makes new ones of the pieces.
//! Written from docs/spec/door.md and the layouts in `envelope`, with libraries alone.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand::RngCore;
use serde_json::Value;
use vouchsafe_circuits::SaltSeed;
use vouchsafe_circuits::record::Tier;

use super::clinic::DOCTOR_SEED;
use crate::support::rng;

type Opened = (Vec<u8>, Vec<u8>);

pub struct Thief {
    parcel: Value,
}

/// The doctor's X25519 secret: the second 32 bytes that were drawn for the party.
fn reader_secret() -> [u8; 32] {
    let (mut seed, mut secret) = ([0; 32], [0; 32]);
    let mut rng = rng(DOCTOR_SEED);
    rng.fill_bytes(&mut seed);
    rng.fill_bytes(&mut secret);
    secret
}

fn unhex(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn base64(value: &Value) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = value.as_str().unwrap().trim_end_matches('=');
    let (mut bits, mut count, mut out) = (0u32, 0, Vec::new());
    for c in text.bytes() {
        bits = bits << 6 | ALPHABET.iter().position(|a| *a == c).unwrap() as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    out
}

fn to_base64(bytes: &[u8]) -> Value {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let word = three.iter().fold(0u32, |word, b| word << 8 | u32::from(*b)) << (8 * (3 - three.len()));
        for nth in 0..4 {
            let sextet = ALPHABET[(word >> (18 - 6 * nth) & 63) as usize] as char;
            out.push(if nth <= three.len() { sextet } else { '=' });
        }
    }
    Value::String(out)
}

impl Thief {
    pub fn new(json: &[u8]) -> Thief {
        Thief { parcel: serde_json::from_slice(json).unwrap() }
    }

    pub fn json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.parcel).unwrap()
    }

    pub fn set(&mut self, name: &str, value: Value) {
        assert!(self.parcel.get(name).is_some(), "{name}");
        self.parcel[name] = value;
    }

    pub fn get(&self, name: &str) -> Value {
        self.parcel[name].clone()
    }

    /// label ‖ entry id ‖ card id ‖ until u64 ‖ record ‖ part u8
    fn info(&self, entry: &[u8; 32], tier: u8) -> Vec<u8> {
        let mut info = b"vouchsafe/access/release/v1".to_vec();
        info.extend_from_slice(entry);
        info.extend(unhex(&self.parcel["card"]));
        info.extend(self.parcel["until"].as_u64().unwrap().to_be_bytes());
        info.extend(unhex(&self.parcel["record"]));
        info.push(tier);
        info
    }

    /// The data keys, with their tiers.
    pub fn data_keys(&self, entry: &[u8; 32]) -> Vec<(u8, Vec<u8>)> {
        let secret = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(&reader_secret()).unwrap();
        let mut keys = Vec::new();
        for key in self.parcel["keys"].as_array().unwrap() {
            let tier = key["tier"].as_u64().unwrap() as u8;
            let enc = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&base64(&key["encapsulated"])).unwrap();
            let opened = hpke::single_shot_open::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
                &OpModeR::Base,
                &secret,
                &enc,
                &self.info(entry, tier),
                &base64(&key["sealed"]),
                b"",
            );
            keys.push((tier, opened.unwrap()));
        }
        keys
    }

    /// Seals data keys to the doctor for this parcel as it now is, and this entry.
    pub fn seal_keys(&mut self, keys: &[(u8, Vec<u8>)], entry: &[u8; 32]) {
        let secret = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(&reader_secret()).unwrap();
        let recipient = X25519HkdfSha256::sk_to_pk(&secret);
        let sealed = keys.iter().map(|(tier, key)| {
            let (enc, sealed) = hpke::single_shot_seal::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
                &OpModeS::Base,
                &recipient,
                &self.info(entry, *tier),
                key,
                b"",
            )
            .unwrap();
            serde_json::json!({"tier": tier, "encapsulated": to_base64(&enc.to_bytes()), "sealed": to_base64(&sealed)})
        });
        let sealed = sealed.collect();
        self.set("keys", Value::Array(sealed));
    }

    /// label ‖ suite u16 ‖ proof suite u32 ‖ commitment ‖ schema ‖ part u8
    fn part_aad(&self, schema: &[u8], tier: u8) -> Vec<u8> {
        let mut aad = b"vouchsafe/access/part/v1".to_vec();
        aad.extend([0, 1, 0, 0, 0, 1]);
        aad.extend(unhex(&self.parcel["record"]));
        aad.extend(schema);
        aad.push(tier);
        aad
    }

    /// Opens the part of a tier, changes its plaintext, and seals it again under the same data key.
    pub fn change_part(&mut self, schema: &[u8], keys: &[(u8, Vec<u8>)], tier: u8, change: impl Fn(&mut Vec<u8>)) {
        let blob = base64(&self.parcel["parts"]);
        let (mut out, mut rest) = (blob[..13].to_vec(), &blob[13..]);
        while let [part, length @ ..] = rest {
            let (length, after) = length.split_first_chunk::<4>().unwrap();
            let (sealed, next) = after.split_at(u32::from_be_bytes(*length) as usize);
            let mut sealed = sealed.to_vec();
            if *part == tier {
                let (nonce, mut plain) = self.opened(schema, keys, tier, &sealed);
                change(&mut plain);
                let aad = self.part_aad(schema, tier);
                let again = cipher(keys, tier).encrypt(&nonce_of(&nonce), Payload { msg: &plain, aad: &aad }).unwrap();
                sealed = [nonce, again].concat();
            }
            out.push(*part);
            out.extend((sealed.len() as u32).to_be_bytes());
            out.extend(sealed);
            rest = next;
        }
        self.set("parts", to_base64(&out));
    }

    /// The salt seeds of the tiers of which there is a key.
    pub fn seeds(&self, schema: &[u8], keys: &[(u8, Vec<u8>)]) -> Vec<(Tier, SaltSeed)> {
        let blob = base64(&self.parcel["parts"]);
        let (mut seeds, mut rest) = (Vec::new(), &blob[13..]);
        while let [part, length @ ..] = rest {
            let (length, after) = length.split_first_chunk::<4>().unwrap();
            let (sealed, next) = after.split_at(u32::from_be_bytes(*length) as usize);
            let (_, plain) = self.opened(schema, keys, *part, sealed);
            // length u32 · version u8 · seed 32
            seeds.push((Tier::try_from(*part).unwrap(), SaltSeed::new(plain[5..37].try_into().unwrap())));
            rest = next;
        }
        seeds
    }

    fn opened(&self, schema: &[u8], keys: &[(u8, Vec<u8>)], tier: u8, sealed: &[u8]) -> Opened {
        let (nonce, body) = sealed.split_at(12);
        let aad = self.part_aad(schema, tier);
        let plain = cipher(keys, tier).decrypt(&nonce_of(nonce), Payload { msg: body, aad: &aad });
        (nonce.to_vec(), plain.unwrap())
    }
}

fn cipher(keys: &[(u8, Vec<u8>)], tier: u8) -> Aes256Gcm {
    let (_, key) = keys.iter().find(|(of, _)| *of == tier).unwrap();
    Aes256Gcm::new_from_slice(key).unwrap()
}

fn nonce_of(nonce: &[u8]) -> aes_gcm::aead::Nonce<Aes256Gcm> {
    let nonce: [u8; 12] = nonce.try_into().unwrap();
    nonce.into()
}
