use gatewarden_access::{ActionInfo, Permission};
use gatewarden_types::{Feature, Level};

fn main() {
    let _row = ActionInfo {
        name: "page.read",
        did: "read a page",
        permission: Permission::TrailRead,
        sees: Permission::TrailRead,
        level: (Feature::Trail, Level::Read),
        writes: &[],
        jobs: &[],
    };
}
