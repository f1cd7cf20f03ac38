use gatewarden_store::entity::members::Entity;

fn main() {}
