//! The decision against the model: they never disagree, and a model with a defect does.

use gatewarden_access::{Action, ActionInfo, Facts, Subject, actions};
use gatewarden_types::Reach;
use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};

use crate::{
    model::{self, Answer, DEFECTS, Defect},
    situation::{Situation, situation},
};

const CASES: u32 = 8_000;

/// Decides on the action of this name.
pub fn decide(name: &str, facts: &Facts, subject: Option<Subject>) -> Answer {
    fn one<A: Action>(facts: &Facts, subject: Option<Subject>) -> Answer {
        let decided = gatewarden_access::decide::<A>(facts, subject);
        decided.map(|permit| permit.reach()).map_err(|refused| (refused.reason.word(), refused.hidden))
    }
    macro_rules! named {
        ($($action:ident),+ $(,)?) => {
            match name {
                $(name if name == actions::$action::INFO.name => one::<actions::$action>(facts, subject),)+
                other => panic!("{other} is not listed here"),
            }
        };
    }
    named!(
        CreateOrganization,
        ReadOrganization,
        UpdateOrganization,
        ListMembers,
        ReadMember,
        ChangeMemberRole,
        SuspendMember,
        ReinstateMember,
        RemoveMember,
        ListRoles,
        ListInvites,
        InviteMember,
        ResendInvite,
        RevokeInvite,
        AcceptInvite,
        ListProviders,
        ReadProvider,
        AddProvider,
        UpdateProvider,
        TestProvider,
        RemoveProvider,
        ListModels,
        ApproveModel,
        WithdrawModel,
        InvokeModel,
        ListKeys,
        ReadKey,
        CreateKey,
        RotateKey,
        RevokeKey,
        ListGateways,
        AddGateway,
        EnrollGateway,
        DrainGateway,
        RemoveGateway,
        ReadUsage,
        ReadTrail,
        ExportTrail,
        FollowTrail,
        BeginEpoch,
        RecordUsage,
        OpenAccount,
        SignIn,
        SignOut,
        ListSessions,
        RevokeSession,
        RevokeOtherSessions,
        ReadAccount,
        UpdateAccount,
        ChangePassword,
        RegisterOrganization,
        ListOrganizations,
    )
}

/// What is decided.
pub fn decided(situation: &Situation) -> Answer {
    decide(ActionInfo::ALL[situation.action].name, &situation.facts(), situation.subject())
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: CASES, failure_persistence: None, max_shrink_iters: 0, ..Default::default() }
}

fn disagreement(mut runner: TestRunner, defect: Defect) -> Result<(), String> {
    let compared = runner.run(&situation(), |situation| {
        prop_assert_eq!(decided(&situation), model::decide(&situation, defect));
        Ok(())
    });
    compared.map_err(|difference| difference.to_string())
}

#[test]
fn the_decision_and_the_model_never_disagree() {
    disagreement(TestRunner::new(config()), Defect::None).unwrap();
}

#[test]
fn a_model_with_a_defect_is_told_from_the_decision() {
    for defect in DEFECTS {
        // The same situations each time: whether they are enough is not to be left to chance.
        let same = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let runner = TestRunner::new_with_rng(config(), same);
        assert!(disagreement(runner, defect).is_err(), "nothing noticed that the model forgets {defect:?}");
    }
}

#[test]
fn every_answer_is_met() {
    use proptest::strategy::ValueTree;
    let mut runner = TestRunner::deterministic();
    let mut answers = std::collections::BTreeMap::<&str, u32>::new();
    for _ in 0..2 * CASES {
        let situation = situation().new_tree(&mut runner).unwrap().current();
        let answer = match decided(&situation) {
            Ok(Reach::All) => "all",
            Ok(Reach::Own) => "own",
            Err((reason, _)) => reason,
        };
        *answers.entry(answer).or_default() += 1;
    }
    // Two ways to be allowed and every reason but the gateway's own, each often enough to mean something.
    assert_eq!(answers.len(), 15, "{answers:?}");
    assert!(answers.values().all(|times| *times > 10), "{answers:?}");
}
