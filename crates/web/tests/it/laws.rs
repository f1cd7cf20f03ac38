//! What cannot be written: a route that says nothing of its action, its scope or what it leaves in the trail.

#[test]
fn a_route_has_an_action_a_scope_and_an_audit_class() {
    trybuild::TestCases::new().compile_fail("tests/laws/*.rs");
}
