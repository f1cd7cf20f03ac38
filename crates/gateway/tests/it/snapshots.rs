use gatewarden_gateway::{SealingKeys, Snapshot, Vault};
use gatewarden_trail::{Change, Folded, fold};
use gatewarden_types::{
    AnyRecord, Key, KeyOwner, KeyState, Level, Member, MemberState, Model, ModelState, Provider, Record,
};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::world::{Records, id, key, model, root};

/// One change that someone might make. What it is made to is chosen among what there is.
#[derive(Debug, Clone)]
enum Step {
    AddMember,
    SuspendMember(Index),
    RemoveMember(Index),
    AddKey(Index, bool),
    RevokeKey(Index),
    RemoveKey(Index),
    Approve(u8),
    Withdraw(Index),
    RemoveModel(Index),
    RenameProvider(Index, u8),
    RemoveRole(Index),
    Nothing,
}

fn step() -> impl Strategy<Value = Step> {
    let at = any::<Index>;
    prop_oneof![
        Just(Step::AddMember),
        at().prop_map(Step::SuspendMember),
        at().prop_map(Step::RemoveMember),
        (at(), any::<bool>()).prop_map(|(at, own)| Step::AddKey(at, own)),
        at().prop_map(Step::RevokeKey),
        at().prop_map(Step::RemoveKey),
        (0..4u8).prop_map(Step::Approve),
        at().prop_map(Step::Withdraw),
        at().prop_map(Step::RemoveModel),
        (at(), any::<u8>()).prop_map(|(at, to)| Step::RenameProvider(at, to)),
        at().prop_map(Step::RemoveRole),
        Just(Step::Nothing),
    ]
}

fn pick<R: Record>(state: &Folded, at: Index) -> Option<R> {
    let all: Vec<_> = state.iter().filter(|((kind, _), _)| *kind == R::KIND).map(|(_, (_, image))| image).collect();
    let image = all.get(at.index(all.len().max(1)))?;
    serde_json::from_value((*image).clone()).ok()
}

fn changed<R: Record>(state: &Folded, at: Index, change: impl FnOnce(&mut R)) -> Option<Change> {
    let mut record = pick::<R>(state, at)?;
    change(&mut record);
    Change::put(&record).ok()
}

fn removed<R: Record>(state: &Folded, at: Index) -> Option<Change> {
    pick::<R>(state, at).map(|record| Change::removed(record.id()))
}

fn change(records: &Records, state: &Folded, step: &Step) -> Option<Change> {
    match step {
        Step::AddMember => {
            let member = Member { id: id(), account: id(), ..records.member.clone() };
            Change::put(&member).ok()
        }
        Step::SuspendMember(at) => changed(state, *at, |member: &mut Member| member.state = MemberState::Suspended),
        Step::RemoveMember(at) => removed::<Member>(state, *at),
        Step::AddKey(at, own) => {
            let owner = pick::<Member>(state, *at).filter(|_| *own).map(|member| KeyOwner::Member(member.id));
            let (_, mut record) = key(owner.unwrap_or(KeyOwner::Organization));
            record.levels.insert(gatewarden_types::Feature::Usage, Level::Read);
            Change::put(&record).ok()
        }
        Step::RevokeKey(at) => changed(state, *at, |key: &mut Key| key.state = KeyState::Revoked),
        Step::RemoveKey(at) => removed::<Key>(state, *at),
        // Few names, so that one is approved, withdrawn and approved again, and now and then twice at once.
        Step::Approve(name) => Change::put(&model(records.provider.id, &format!("model-{name}"), "demo-small")).ok(),
        Step::Withdraw(at) => changed(state, *at, |model: &mut Model| model.state = ModelState::Withdrawn),
        Step::RemoveModel(at) => removed::<Model>(state, *at),
        Step::RenameProvider(at, to) => changed(state, *at, |provider: &mut Provider| {
            provider.name = format!("Provider {to}").parse().expect("a name");
        }),
        Step::RemoveRole(at) => removed::<gatewarden_types::Role>(state, *at),
        Step::Nothing => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    // incident 14
    #[test]
    fn following_entries_gives_what_a_base_of_the_folded_trail_gives(steps in prop::collection::vec(step(), 1..40), cut in any::<Index>()) {
        let records = Records::new("https://api.example.com/v1");
        let organization = records.organization.id;
        let mut vault = Vault::new(SealingKeys::One(root().sealing()));
        vault.hold(vec![records.body()]);
        let mut first = vec![Change::put(&records.organization).expect("writes"), Change::put(&records.provider).expect("writes")];
        first.extend(records.roles.iter().map(|role| Change::put(role).expect("writes")));
        let (mut state, mut followed) = (Folded::new(), Snapshot::default());
        let mut late = None;
        let cut = cut.index(steps.len() + 1) as u64;
        for seq in 1..=(steps.len() as u64 + 1) {
            let changes = match seq.checked_sub(2).and_then(|at| steps.get(usize::try_from(at).ok()?)) {
                None => first.clone(),
                Some(step) => change(&records, &state, step).into_iter().collect(),
            };
            let entry = records.entry(seq, changes);
            fold(&mut state, &entry);
            followed = followed.apply(&entry, &vault).expect("the next entry");
            prop_assert!(followed.apply(&entry, &vault).expect("an entry that is in already") == followed);
            late = match late {
                // Another gateway begins at this point, from a base.
                None if seq > cut => Some(rebased(&state, seq, &records, &vault)),
                None => None,
                Some(late) => Some(Snapshot::apply(&late, &entry, &vault).expect("the next entry")),
            };
        }
        let base = rebased(&state, steps.len() as u64 + 1, &records, &vault);
        prop_assert!(followed == base, "followed and folded differ");
        prop_assert!(late.is_none_or(|late| late == base), "begun in between and folded differ");
        prop_assert_eq!(followed.position(organization), Some(steps.len() as u64 + 1));
        prop_assert!(base.without(organization) == Snapshot::default().without(organization));
    }
}

fn rebased(state: &Folded, seq: u64, records: &Records, vault: &Vault) -> Snapshot {
    let all = state.iter().map(|((kind, _), (_, image))| AnyRecord::read(*kind, image).expect("a record")).collect();
    Snapshot::default().rebase(records.organization.id, seq, all, vault).expect("a policy")
}
