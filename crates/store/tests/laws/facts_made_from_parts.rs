use gatewarden_access::{Facts, Standing};

fn reinstate(facts: Facts) -> Facts {
    Facts { standing: Standing::Good, ..facts }
}

fn main() {}
