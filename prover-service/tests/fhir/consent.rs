//! Consent: HL7's examples permit nothing here, what can be said is said, what cannot narrows permits and widens denies.

use serde_json::{Value as Json, json};
use vouchsafe_prover_service::fhir::{BundleReading, Mapped};

use super::{read, shown};
use crate::fixtures;

const REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const ALWAYS: &str = "always";

/// A consent with this root provision, under an opt-in.
fn consent(provision: Json) -> Json {
    json!({
        "resourceType": "Consent", "id": "c", "status": "active", "patient": {"reference": "Patient/p"},
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
        "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]},
        "provision": provision,
    })
}

fn actor(role: &str, name: &str) -> Json {
    json!({
        "role": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": role}]},
        "reference": {"identifier": {"system": "urn:vouchsafe:party", "value": name}},
    })
}

fn purpose(code: &str) -> Json {
    json!({"system": REASON, "code": code})
}

/// A provision of a type, for one recipient and purpose, with more keys.
fn provision(kind: &str, recipient: &str, code: &str, more: Json) -> Json {
    let mut provision = json!({"type": kind, "actor": [actor("PRCP", recipient)], "purpose": [purpose(code)]});
    provision.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    provision
}

fn said(record: &Mapped) -> String {
    let all = |text: String| if text == "not applicable" { "*".to_owned() } else { text };
    let days = match (record.valid.from, record.valid.until) {
        (0, u32::MAX) => ALWAYS.to_owned(),
        (from, u32::MAX) => format!("{from}.."),
        (from, until) => format!("{from}..{until}"),
    };
    let [decision, recipient, purpose] = ["decision", "recipient", "purpose"].map(|name| all(shown(record, name)));
    format!("{decision} {recipient} {purpose} {days}")
}

fn words_of(resource: &Json) -> (BundleReading, Vec<String>) {
    let reading = read("consent.json", resource.to_string().as_bytes());
    let words = reading.records.iter().map(said).collect();
    // every version speaks for all eight keys
    let mut parts: Vec<u8> = reading.records.iter().filter_map(|record| record.part).collect();
    parts.extend(reading.withdrawals.iter().filter_map(|withdrawal| withdrawal.part));
    assert_eq!(parts, [0, 1, 2, 3, 4, 5, 6, 7]);
    (reading, words)
}

fn words(provision: Json) -> Vec<String> {
    let (reading, words) = words_of(&consent(provision));
    assert_eq!(reading.errors, []);
    words
}

/// None of them names a recipient by a name that it asks under, so none permits; what they withhold is withheld.
#[test]
fn hl7s_examples_permit_nothing() {
    let Some(folder) = fixtures::folder() else { return };
    let all = "deny * * always";
    let expected: &[(&str, &[&str])] = &[
        ("Emergency", &["deny * ETREAT always"]),
        ("Out", &[all]),
        ("basic", &["deny * * 0..16801"]), // an opt-in with a period: to be read in two ways, so nothing is permitted
        ("grantor", &[all]),
        ("notAuthor", &[all]),
        ("notOrg", &[all]),
        ("notThem", &[all]),
        ("notThis", &[all]),
        ("notTime", &["deny * * 16436..16467"]),
        ("pkb", &[all]),
        ("signature", &[]),
        ("smartonfhir", &[]),
    ];
    let mut seen = 0;
    for (name, text) in fixtures::files(&folder.join("fhir-r4-hl7")) {
        if !name.starts_with("Consent") {
            continue;
        }
        seen += 1;
        let short = name.trim_start_matches("Consent-consent-example-").trim_end_matches(".json");
        let (_, expected) = expected.iter().find(|(name, _)| *name == short).unwrap();
        let (reading, words) = words_of(&serde_json::from_slice(&text).unwrap());
        assert_eq!(reading.errors, [], "{name}");
        assert_eq!(reading.skipped.values().sum::<u64>(), 0, "{name}");
        // the emergency one opts out of all else
        let expected = if short == "Emergency" { &[all][..] } else { expected };
        assert_eq!(words, expected, "{name}");
    }
    assert_eq!(seen, expected.len());
}

#[test]
fn what_can_be_said_is_said() {
    assert_eq!(words(provision("permit", "a", "TREAT", json!({}))), ["permit a TREAT always"]);
    let period = json!({"period": {"start": "2026-01-01", "end": "2026-01-31"}});
    assert_eq!(words(provision("permit", "a", "TREAT", period)), ["permit a TREAT 20454..20484"]);
    let two = json!({"type": "permit", "actor": [actor("PRCP", "b"), actor("IRCP", "a")],
        "purpose": [purpose("TREAT"), purpose("HPAYMT")]});
    let expected =
        ["permit a HPAYMT always", "permit a TREAT always", "permit b HPAYMT always", "permit b TREAT always"];
    assert_eq!(words(two), expected);
    // a frame that says nothing itself; the name by way of a resource in the file
    let nested =
        json!({"purpose": [purpose("TREAT")], "provision": [{"type": "permit", "actor": [actor("PRCP", "a")]}]});
    assert_eq!(words(nested), ["permit a TREAT always"]);
    let mut actor = actor("PRCP", "");
    actor["reference"] = json!({"reference": "Organization/o"});
    let resource = consent(json!({"type": "permit", "actor": [actor], "purpose": [purpose("TREAT")]}));
    let organization = json!({"resourceType": "Organization", "id": "o",
        "identifier": [{"system": "urn:other", "value": "x"}, {"system": "urn:vouchsafe:party", "value": "a"}]});
    let bundle = json!({"resourceType": "Bundle", "type": "collection",
        "entry": [{"resource": resource}, {"resource": organization}]});
    assert_eq!(words_of(&bundle).1, ["permit a TREAT always"]);
}

#[test]
fn a_deny_counts_before_every_permit() {
    let nested = |kind: &str, inner: Json| provision(kind, "a", "TREAT", json!({"provision": [inner]}));
    let bare = json!({});
    // inside, outside and beside
    let inside = nested("permit", provision("deny", "a", "TREAT", bare.clone()));
    assert_eq!(words(inside), ["deny a TREAT always"]);
    let outside = nested("deny", provision("permit", "a", "TREAT", bare.clone()));
    assert_eq!(words(outside), ["deny a TREAT always"]);
    let beside = json!({"provision": [
        provision("permit", "a", "TREAT", bare.clone()), provision("permit", "b", "TREAT", bare.clone()),
        provision("deny", "a", "TREAT", bare.clone()),
    ]});
    assert_eq!(words(beside), ["deny a TREAT always", "permit b TREAT always"]);
    // a deny for some days leaves the days before and after
    let days = json!({"period": {"start": "2026-01-01", "end": "2026-01-31"}});
    let a_month = json!({"provision": [
        provision("permit", "a", "TREAT", bare.clone()), provision("deny", "a", "TREAT", days),
    ]});
    let expected = ["deny a TREAT 20454..20484", "permit a TREAT 0..20453", "permit a TREAT 20485.."];
    assert_eq!(words(a_month), expected);
    // one of a purpose covers those that may lie below it, and no other purpose of the top
    let below = json!({"provision": [
        provision("permit", "a", "ETREAT", bare.clone()), provision("permit", "a", "HPAYMT", bare.clone()),
        provision("deny", "a", "TREAT", bare),
    ]});
    assert_eq!(words(below), ["deny a TREAT always", "permit a HPAYMT always"]);
}

/// Each condition that has no name here: a permit with it is left out, and a deny with it is one without it.
#[test]
fn what_cannot_be_said_narrows_permits_and_widens_denies() {
    let conditions = [
        json!({"securityLabel": [{"code": "N"}]}),
        json!({"class": [{"code": "Condition"}]}),
        json!({"code": [{"text": "x"}]}),
        json!({"dataPeriod": {"start": "2020-01-01"}}),
        json!({"data": [{"meaning": "instance", "reference": {"reference": "Task/1"}}]}),
        json!({"action": [{"coding": [
            {"system": "http://terminology.hl7.org/CodeSystem/consentaction", "code": "correct"}]}]}),
    ];
    for more in conditions {
        assert_eq!(words(provision("permit", "a", "TREAT", more.clone())), [""; 0], "{more}");
        assert_eq!(words(provision("deny", "a", "TREAT", more.clone())), ["deny a TREAT always"], "{more}");
        // on a frame around it too
        let mut frame = more.clone();
        frame["provision"] = json!([provision("permit", "a", "TREAT", json!({}))]);
        assert_eq!(words(frame), [""; 0], "{more}");
    }
    for (more, deny) in [
        (json!({"actor": [actor("AUT", "a")]}), "deny * TREAT always"),
        (json!({"actor": [actor("PRCP", "a"), actor("CST", "b")]}), "deny * TREAT always"),
        (json!({"actor": [{"reference": {"display": "a"}}]}), "deny * TREAT always"),
        (json!({"actor": []}), "deny * TREAT always"),
        (json!({"purpose": [{"system": "urn:other", "code": "TREAT"}]}), "deny a * always"),
        (json!({"purpose": []}), "deny a * always"),
        (json!({"period": {"start": "2026-01"}}), "deny a TREAT always"),
        (json!({"period": {"_end": {"extension": []}}}), "deny a TREAT always"),
        // half an hour of one day
        (
            json!({"period": {"start": "2026-01-01T10:00:00Z", "end": "2026-01-01T10:30:00Z"}}),
            "deny a TREAT 20454..20454",
        ),
    ] {
        assert_eq!(words(provision("permit", "a", "TREAT", more.clone())), [""; 0], "{more}");
        assert_eq!(words(provision("deny", "a", "TREAT", more.clone())), [deny], "{more}");
    }
    // a frame names the recipient, the permit inside limits whose data is meant
    let inside =
        |inner: Json| json!({"actor": [actor("PRCP", "a")], "purpose": [purpose("TREAT")], "provision": [inner]});
    assert_eq!(words(inside(json!({"type": "permit"}))), ["permit a TREAT always"], "control");
    assert_eq!(words(inside(json!({"type": "permit", "actor": [actor("AUT", "b")]}))), [""; 0]);
    // or names another recipient, or another purpose
    assert_eq!(words(inside(json!({"type": "permit", "actor": [actor("PRCP", "b")]}))), [""; 0]);
    assert_eq!(words(inside(json!({"type": "permit", "purpose": [purpose("HMARKT")]}))), [""; 0]);
    assert_eq!(words(inside(json!({"type": "deny", "actor": [actor("PRCP", "b")]}))), ["deny b TREAT always"]);
    // of several names a permit keeps those that have one, a deny is of all
    let some =
        json!({"actor": [actor("PRCP", "a"), {"role": actor("PRCP", "")["role"], "reference": {"display": "b"}}]});
    assert_eq!(words(provision("permit", "a", "TREAT", some.clone())), ["permit a TREAT always"]);
    assert_eq!(words(provision("deny", "a", "TREAT", some)), ["deny * TREAT always"]);
    // days that a permit has whole, a deny in part
    let hours = json!({"period": {"start": "2026-01-01T10:00:00Z", "end": "2026-01-03T10:00:00Z"}});
    assert_eq!(words(provision("permit", "a", "TREAT", hours.clone())), ["permit a TREAT 20455..20455"]);
    assert_eq!(words(provision("deny", "a", "TREAT", hours)), ["deny a TREAT 20454..20456"]);
    // a provision without a type
    assert_eq!(words(json!({"provision": [{"actor": [actor("PRCP", "a")]}]})), ["deny a * always"]);
}

#[test]
fn what_is_around_the_provisions_narrows_too() {
    let permit = || consent(provision("permit", "a", "TREAT", json!({})));
    assert_eq!(words_of(&permit()).1, ["permit a TREAT always"], "control");
    let act_code =
        |code: &str| json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": code}]});
    let scope = |code: &str| {
        json!({"coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": code}]})
    };
    for (key, value) in [
        ("policyRule", act_code("OPTINR")),
        ("policyRule", json!({"text": "as the law says"})),
        ("category", json!([act_code("EMRGONLY")])),
        ("scope", scope("treatment")),
        ("scope", scope("adr")),
        ("scope", json!({"text": "x"})),
        ("verification", json!([{"verified": true}, {"verified": false}])),
        ("status", json!("draft")),
        ("status", json!("inactive")),
        ("status", json!("rejected")),
        ("status", json!("entered-in-error")),
    ] {
        let mut resource = permit();
        resource[key] = value;
        let (reading, words) = words_of(&resource);
        assert_eq!((reading.errors, words), (vec![], vec![]), "{key}");
    }
    // an opt-out with exceptions says no more than these; without one it denies all
    let mut opt_out = permit();
    opt_out["policyRule"] = act_code("OPTOUT");
    assert_eq!(words_of(&opt_out).1, ["permit a TREAT always"]);
    opt_out["provision"] = json!({"type": "permit"});
    assert_eq!(words_of(&opt_out).1, ["deny * * always"]);
}

/// A version that is not understood takes back what older ones permitted.
#[test]
fn a_consent_that_cannot_be_read_withdraws() {
    for (key, value) in [
        ("modifierExtension", json!([{"url": "urn:x"}])),
        ("status", json!("paused")),
        ("scope", Json::Null),
        ("patient", json!({"display": "somebody"})),
        ("provision", json!({"type": "maybe"})),
        ("provision", json!({"type": "permit", "modifierExtension": []})),
        ("provision", json!({"type": "permit", "period": {"end": "soon"}})),
    ] {
        let mut resource = consent(provision("permit", "a", "TREAT", json!({})));
        resource[key] = value;
        let (reading, words) = words_of(&resource);
        assert_eq!((reading.errors.len(), words.len()), (1, 0), "{key}");
        assert!(reading.withdrawals.iter().all(|withdrawal| withdrawal.unread), "{key}");
    }
    // the same twice is said once; two that differ say nothing
    let entry = |id: &str| json!({"resource": consent(provision("permit", id, "TREAT", json!({})))});
    let bundle = |a, b| json!({"resourceType": "Bundle", "type": "collection", "entry": [entry(a), entry(b)]});
    assert_eq!(words_of(&bundle("a", "a")).1, ["permit a TREAT always"]);
    let reading = read("two.json", bundle("a", "b").to_string().as_bytes());
    assert_eq!((reading.records.len(), reading.errors.len(), reading.withdrawals.len()), (0, 2, 16));
}

#[test]
fn eight_words_are_the_most() {
    let many = |kind: &str| -> Vec<Json> {
        (0..40).map(|n| provision(kind, &format!("p{n:02}"), "TREAT", json!({}))).collect()
    };
    let permits = words(json!({"provision": many("permit")}));
    assert_eq!(permits.len(), 8);
    assert!(permits.iter().all(|word| word.starts_with("permit p0")));
    assert_eq!(words(json!({"provision": many("deny")})), ["deny * * always"]);
    let mut both = many("deny");
    both.push(provision("permit", "other", "TREAT", json!({})));
    assert_eq!(words(json!({"provision": both})), ["deny * * always"]);
    // hostile: many names in one provision
    let names: Vec<Json> = (0..3_000).map(|n| actor("PRCP", &format!("p{n}"))).collect();
    let codes: Vec<Json> = (0..3_000).map(|n| purpose(&format!("X{n}"))).collect();
    assert_eq!(words(json!({"type": "permit", "actor": names, "purpose": codes})).len(), 8);
    assert_eq!(words(json!({"type": "deny", "actor": names, "purpose": codes})), ["deny * * always"]);
    let deep = (0..30)
        .fold(provision("permit", "a", "TREAT", json!({})), |inner, _| json!({"type": "permit", "provision": [inner]}));
    assert_eq!(words(deep), ["permit a TREAT always"]);
}
