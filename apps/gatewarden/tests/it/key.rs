use crate::program::{Folder, text, with_input};

const KEY: &str = "gwk_7n42DGM5Tflk9n8mt7Fhc7yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp10k1Da6";

#[test]
fn a_key_is_checked_without_asking_anyone() {
    let folder = Folder::new();
    let check = ["key", "check"];
    let good = with_input(&mut folder.program(&check), &format!("{KEY}\n"));
    assert!(good.status.success() && text(&good.stdout).starts_with("key_"), "{}", text(&good.stderr));
    let argument = folder.run(&["key", "check", KEY]);
    assert_eq!(argument.stdout, good.stdout);
    assert!(!folder.data().exists(), "nothing is made");
    let mistyped = with_input(&mut folder.program(&check), &KEY.replace("Da6", "Da7"));
    assert_eq!(mistyped.status.code(), Some(1));
    for output in [good, argument, mistyped] {
        let shown = text(&output.stdout) + &text(&output.stderr);
        assert!(!shown.contains(&KEY[..30]), "{shown}");
    }
}
