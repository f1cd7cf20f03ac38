//! What the compiler refuses: laws 1, 2 and 4 of the design hold by construction.

#[test]
fn what_breaks_a_law_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/laws/*.rs");
}
