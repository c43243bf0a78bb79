-- Version 1: the core of Key Protect.
-- What the service knows of itself: the clock, counters.
CREATE TABLE meta (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT;

-- Switches that somebody has turned, by their names on the wire.
CREATE TABLE settings (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT;

-- Secrets of the service itself, sealed under the master key.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY NOT NULL,
    nonce BLOB NOT NULL UNIQUE,
    sealed BLOB NOT NULL
) STRICT;

-- Service instances of Key Protect and Cloud Object Storage. Removed ones stay, with removed_at; until reclaim_at, where
-- that is set, with all that is in them. plans_before: pairs of milliseconds and plan id, with commas between them.
CREATE TABLE instances (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    service TEXT NOT NULL,
    region TEXT NOT NULL,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    resource_group TEXT NOT NULL,
    parameters TEXT,
    tags TEXT,
    allow_cleanup INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER,
    updated_by TEXT,
    removed_at INTEGER,
    removed_by TEXT,
    reclaim_at INTEGER,
    plans_before TEXT,
    plan_since INTEGER NOT NULL,
    last_operation TEXT NOT NULL,
    locked INTEGER NOT NULL
) STRICT;

-- Credentials of service instances, as the Resource Controller makes them. A removed one stays, without its secrets.
-- sealed: API key and, with access_key_id, HMAC secret, in two lines, under the master key. api_key: SHA-256 of the API key.
CREATE TABLE resource_keys (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    instance_id TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    service_id TEXT NOT NULL,
    policy_id TEXT,
    access_key_id TEXT UNIQUE,
    api_key BLOB UNIQUE,
    nonce BLOB UNIQUE,
    sealed BLOB,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER,
    updated_by TEXT,
    removed_at INTEGER,
    removed_by TEXT
) STRICT;
CREATE INDEX resource_keys_by_instance ON resource_keys (instance_id, seq);

-- Keys without their material. state: 1 active, 2 suspended, 3 deactivated, 5 destroyed. kind: all that lists tell apart
-- by yes and no.
CREATE TABLE keys (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    instance_id TEXT NOT NULL,
    ring_id TEXT NOT NULL,
    extractable INTEGER NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    tags TEXT,
    imported INTEGER NOT NULL,
    bits INTEGER NOT NULL,
    state INTEGER NOT NULL,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    rotated_at INTEGER,
    notified_at INTEGER,
    deleted_at INTEGER,
    deleted_by TEXT,
    version_id TEXT NOT NULL,
    version_created_at INTEGER NOT NULL,
    authorized_by TEXT,
    authorized_until INTEGER,
    kind INTEGER NOT NULL CHECK (kind = state * 16 + extractable * 8 + imported * 4 + (expires_at IS NOT NULL) * 2
        + (rotated_at IS NOT NULL))
) STRICT;
CREATE INDEX keys_by_kind ON keys (instance_id, kind, id, name);
CREATE INDEX keys_by_ring ON keys (instance_id, ring_id, kind, id);
CREATE INDEX keys_by_creation ON keys (instance_id, kind, created_at, id);
CREATE INDEX keys_by_update ON keys (instance_id, kind, updated_at, id);
CREATE INDEX keys_by_rotation ON keys (instance_id, kind, rotated_at, id) WHERE rotated_at IS NOT NULL;
CREATE INDEX keys_by_deletion ON keys (instance_id, kind, deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX keys_by_expiration ON keys (instance_id, kind, expires_at, id) WHERE expires_at IS NOT NULL;

-- How many keys there are of each kind in each ring, so that nobody has to count them one by one.
CREATE TABLE key_counts (
    instance_id TEXT NOT NULL,
    ring_id TEXT NOT NULL,
    kind INTEGER NOT NULL,
    keys INTEGER NOT NULL,
    PRIMARY KEY (instance_id, ring_id, kind)
) STRICT, WITHOUT ROWID;

-- The same for each 1,024 keys that were made one after another, whatever their rings; and between which instants.
CREATE TABLE key_spans (
    instance_id TEXT NOT NULL,
    kind INTEGER NOT NULL,
    span INTEGER NOT NULL,
    keys INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (instance_id, kind, span)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER keys_counted_in AFTER INSERT ON keys BEGIN
    INSERT INTO key_counts VALUES (new.instance_id, new.ring_id, new.kind, 1)
        ON CONFLICT (instance_id, ring_id, kind) DO UPDATE SET keys = keys + 1;
    INSERT INTO key_spans VALUES (new.instance_id, new.kind, new.seq >> 10, 1, new.created_at, new.created_at)
        ON CONFLICT (instance_id, kind, span) DO UPDATE SET keys = keys + 1, first = min(first, excluded.first),
            last = max(last, excluded.last);
END;
CREATE TRIGGER keys_counted_out AFTER DELETE ON keys BEGIN
    UPDATE key_counts SET keys = keys - 1
        WHERE instance_id = old.instance_id AND ring_id = old.ring_id AND kind = old.kind;
    UPDATE key_spans SET keys = keys - 1
        WHERE instance_id = old.instance_id AND kind = old.kind AND span = old.seq >> 10;
    DELETE FROM key_spans
        WHERE instance_id = old.instance_id AND kind = old.kind AND span = old.seq >> 10 AND keys = 0;
END;
CREATE TRIGGER keys_counted_elsewhere AFTER UPDATE OF ring_id, kind ON keys
    WHEN old.ring_id <> new.ring_id OR old.kind <> new.kind BEGIN
    UPDATE key_counts SET keys = keys - 1
        WHERE instance_id = old.instance_id AND ring_id = old.ring_id AND kind = old.kind;
    INSERT INTO key_counts VALUES (new.instance_id, new.ring_id, new.kind, 1)
        ON CONFLICT (instance_id, ring_id, kind) DO UPDATE SET keys = keys + 1;
    UPDATE key_spans SET keys = keys - 1
        WHERE instance_id = old.instance_id AND kind = old.kind AND span = old.seq >> 10;
    DELETE FROM key_spans
        WHERE instance_id = old.instance_id AND kind = old.kind AND span = old.seq >> 10 AND keys = 0;
    INSERT INTO key_spans VALUES (new.instance_id, new.kind, new.seq >> 10, 1, new.created_at, new.created_at)
        ON CONFLICT (instance_id, kind, span) DO UPDATE SET keys = keys + 1, first = min(first, excluded.first),
            last = max(last, excluded.last);
END;

-- Key material, sealed under the master key. A root key has one row a version, oldest first by seq.
CREATE TABLE key_versions (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    key_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    nonce BLOB NOT NULL UNIQUE,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX key_versions_by_key ON key_versions (key_id, seq);

-- Aliases, unique in their instance.
CREATE TABLE aliases (
    seq INTEGER PRIMARY KEY,
    instance_id TEXT NOT NULL,
    alias TEXT NOT NULL,
    key_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (instance_id, alias)
) STRICT;
CREATE INDEX aliases_by_key ON aliases (key_id, seq);

-- Key policies. kind: rotation (interval_months, next_at) or dualAuthDelete.
CREATE TABLE key_policies (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    key_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    interval_months INTEGER,
    next_at INTEGER,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (key_id, kind)
) STRICT;

-- Policies of a whole instance, by the names of the wire. attributes: what the policy says, words joined by commas.
-- port: the private endpoint's, from the first time on that allowedIP was enabled.
CREATE TABLE instance_policies (
    seq INTEGER PRIMARY KEY,
    instance_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    port INTEGER,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (instance_id, kind)
) STRICT;

-- Key rings besides the default one, which every instance has.
CREATE TABLE key_rings (
    seq INTEGER PRIMARY KEY,
    instance_id TEXT NOT NULL,
    ring_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (instance_id, ring_id)
) STRICT;

-- Keys that have left a ring and count in it until an instant. living: 0 when the key was destroyed before.
CREATE TABLE ring_departures (
    instance_id TEXT NOT NULL,
    ring_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    living INTEGER NOT NULL,
    until INTEGER NOT NULL,
    UNIQUE (instance_id, ring_id, key_id)
) STRICT;

-- Keys for import tokens to come. sealed: the private key, PKCS#8 DER, under the master key.
CREATE TABLE import_keys (
    seq INTEGER PRIMARY KEY,
    public_key TEXT NOT NULL,
    nonce BLOB NOT NULL UNIQUE,
    sealed BLOB NOT NULL
) STRICT;

-- Import tokens, one an instance. sealed: the private key, PKCS#8 DER, under the master key.
CREATE TABLE import_tokens (
    instance_id TEXT PRIMARY KEY NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    retrievals_max INTEGER NOT NULL,
    retrievals_left INTEGER NOT NULL,
    challenge BLOB NOT NULL,
    public_key TEXT NOT NULL,
    nonce BLOB NOT NULL UNIQUE,
    sealed BLOB NOT NULL
) STRICT;

-- KMIP adapters. root_key_id may name a key that was deleted by force.
CREATE TABLE kmip_adapters (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    instance_id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    root_key_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (instance_id, name)
) STRICT;
CREATE INDEX kmip_adapters_by_key ON kmip_adapters (root_key_id);

-- Client certificates of KMIP adapters. fingerprint: SHA-256 of the DER form.
CREATE TABLE kmip_certificates (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    adapter_id TEXT NOT NULL,
    name TEXT NOT NULL,
    pem TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (adapter_id, name)
) STRICT;
CREATE INDEX kmip_certificates_by_fingerprint ON kmip_certificates (fingerprint);

-- Objects of KMIP adapters, symmetric keys all of them, without material. state: 1 pre-active, 2 active,
-- 3 deactivated, 4 compromised, 5 destroyed, 6 destroyed and compromised. A certificate is null where the REST API did it.
CREATE TABLE kmip_objects (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    adapter_id TEXT NOT NULL,
    state INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_with TEXT,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    updated_with TEXT,
    destroyed_at INTEGER,
    destroyed_by TEXT,
    destroyed_with TEXT
) STRICT;
CREATE INDEX kmip_objects_by_adapter ON kmip_objects (adapter_id, state, seq);

-- How many objects an adapter has in each state.
CREATE TABLE kmip_object_counts (
    adapter_id TEXT NOT NULL,
    state INTEGER NOT NULL,
    objects INTEGER NOT NULL,
    PRIMARY KEY (adapter_id, state)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER kmip_objects_counted_in AFTER INSERT ON kmip_objects BEGIN
    INSERT INTO kmip_object_counts VALUES (new.adapter_id, new.state, 1)
        ON CONFLICT (adapter_id, state) DO UPDATE SET objects = objects + 1;
END;
CREATE TRIGGER kmip_objects_counted_out AFTER DELETE ON kmip_objects BEGIN
    UPDATE kmip_object_counts SET objects = objects - 1 WHERE adapter_id = old.adapter_id AND state = old.state;
END;
CREATE TRIGGER kmip_objects_counted_elsewhere AFTER UPDATE OF state ON kmip_objects WHEN old.state <> new.state BEGIN
    UPDATE kmip_object_counts SET objects = objects - 1 WHERE adapter_id = old.adapter_id AND state = old.state;
    INSERT INTO kmip_object_counts VALUES (new.adapter_id, new.state, 1)
        ON CONFLICT (adapter_id, state) DO UPDATE SET objects = objects + 1;
END;

-- Access policies and authorizations of IAM. kind: access or authorization; state: active or deleted. subject and
-- resource are conditions as JSON, roles are CRNs with commas between them; normal is what
-- two policies share that give the same.
CREATE TABLE iam_policies (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    description TEXT,
    subject TEXT NOT NULL,
    resource TEXT NOT NULL,
    roles TEXT NOT NULL,
    normal TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    revision INTEGER NOT NULL
) STRICT;
CREATE INDEX iam_policies_by_state ON iam_policies (state, seq);
CREATE INDEX iam_policies_by_normal ON iam_policies (normal, state);

-- Changes of such policies that take effect later, by at. While a policy has rows here, the one with at = 0 is in
-- force, or, without one, nothing of it; the last one is the policy as it stands above.
CREATE TABLE iam_policy_changes (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    description TEXT,
    subject TEXT NOT NULL,
    resource TEXT NOT NULL,
    roles TEXT NOT NULL,
    normal TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    revision INTEGER NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (id, at)
) STRICT;

-- Service ids of IAM that were made by its API.
CREATE TABLE service_ids (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT;

-- API keys of IAM that were made by its API, without the keys. iam_id: whom one speaks for; digest: SHA-256 of it.
CREATE TABLE api_keys (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT,
    iam_id TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT;
CREATE INDEX api_keys_by_iam_id ON api_keys (iam_id);

-- Which cloud resource a root key protects, and with which of its versions.
CREATE TABLE registrations (
    seq INTEGER PRIMARY KEY,
    key_id TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    resource_crn TEXT NOT NULL,
    prevent_deletion INTEGER NOT NULL,
    description TEXT,
    metadata TEXT,
    version_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    revision INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX registrations_by_key_and_resource ON registrations (key_id, resource_crn);
CREATE INDEX registrations_by_key ON registrations (key_id, prevent_deletion, seq);
CREATE INDEX registrations_by_instance ON registrations (instance_id, prevent_deletion, seq);
CREATE INDEX registrations_by_resource ON registrations (instance_id, resource_crn);

-- Buckets of Cloud Object Storage. The data key is sealed under the master key (nonce, sealed) or, with a root key, wrapped by
-- Key Protect (wrapped) until the root key is purged. protection: days least, default, most, and whether it is permanent,
-- with commas between them. objects and bytes count what the bucket holds.
CREATE TABLE buckets (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    instance_id TEXT NOT NULL,
    account TEXT NOT NULL,
    location TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    nonce BLOB UNIQUE,
    sealed BLOB,
    root_key_crn TEXT,
    wrapped TEXT,
    key_version_id TEXT,
    key_state TEXT,
    registered INTEGER NOT NULL,
    event_at INTEGER,
    protection TEXT,
    configuration TEXT NOT NULL,
    revision INTEGER NOT NULL,
    objects INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX buckets_by_instance ON buckets (instance_id, name);

-- Names of deleted buckets that stay taken for a while.
CREATE TABLE reserved_bucket_names (
    name TEXT PRIMARY KEY NOT NULL,
    until INTEGER NOT NULL
) STRICT;

-- Lifecycle events of root keys that a bucket has taken notice of.
CREATE TABLE bucket_key_events (
    event_id TEXT PRIMARY KEY NOT NULL,
    bucket_id TEXT NOT NULL
) STRICT;
CREATE INDEX bucket_key_events_by_bucket ON bucket_key_events (bucket_id);

-- Objects without their bytes. attributes, tags, checksums and retention are JSON; parts is 0 for a single upload.
CREATE TABLE objects (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    bucket_id TEXT NOT NULL,
    key TEXT NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    modified_at INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    tags TEXT NOT NULL,
    checksums TEXT NOT NULL,
    parts INTEGER NOT NULL,
    retention TEXT,
    UNIQUE (bucket_id, key)
) STRICT;

-- Uploads in parts. etag and list are those of a completed one: its answer, and a digest of the parts that it named; of an
-- aborted one they are empty.
CREATE TABLE uploads (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    bucket_id TEXT NOT NULL,
    key TEXT NOT NULL,
    initiated_at INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    tags TEXT NOT NULL,
    retention TEXT NOT NULL,
    etag TEXT,
    list TEXT
) STRICT;
CREATE INDEX uploads_by_key ON uploads (bucket_id, key, seq);

-- Files of sealed bytes, by id; size counts them in clear. owner: an object, whose bytes they are in order of number, or
-- an upload, whose parts they are.
CREATE TABLE blobs (
    id TEXT PRIMARY KEY NOT NULL,
    owner TEXT NOT NULL,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    checksums TEXT NOT NULL,
    modified_at INTEGER NOT NULL,
    UNIQUE (owner, number)
) STRICT;

-- Whom events are told. events: words joined by commas; ack: http or event_ack. Secrets are sealed under the master key.
CREATE TABLE subscribers (
    seq INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    service_name TEXT,
    resource_crn TEXT,
    events TEXT NOT NULL,
    ack TEXT NOT NULL,
    built_in INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    nonce BLOB NOT NULL UNIQUE,
    sealed BLOB NOT NULL
) STRICT;

-- Secrets of subscribers that were replaced: each goes on to sign until its end.
CREATE TABLE former_secrets (
    subscriber TEXT NOT NULL,
    until INTEGER NOT NULL,
    nonce BLOB NOT NULL UNIQUE,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX former_secrets_by_subscriber ON former_secrets (subscriber, until);

-- Lifecycle events: one action on a key, as one of its registrations is told of it. body: the bytes that each attempt
-- sends; the four version columns are a rotation's. outcome: open, succeeded, failed, dropped.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    key_id TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    resource_crn TEXT NOT NULL,
    correlation TEXT NOT NULL,
    at INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    key_state INTEGER NOT NULL,
    new_version_id TEXT,
    new_version_created_at INTEGER,
    old_version_id TEXT,
    old_version_created_at INTEGER,
    body TEXT NOT NULL,
    outcome TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_deadline ON events (deadline, seq) WHERE outcome = 'open';
CREATE INDEX events_open_by_key ON events (key_id, resource_crn) WHERE outcome = 'open';

-- An event on its way to one subscriber; without one where nobody listens. state: pending, delivered, succeeded, failed,
-- dropped. tries: attempts of the schedule; next_at: its next one, null while it waits behind an earlier event.
-- due_at: when anything is to be sent, null while an attempt is under way (claimed = 1). redeliveries: asked for, not made.
CREATE TABLE deliveries (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    event INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    resource_crn TEXT NOT NULL,
    subscriber TEXT,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    next_at INTEGER,
    redeliveries INTEGER NOT NULL,
    due_at INTEGER,
    claimed INTEGER NOT NULL
) STRICT;
CREATE INDEX deliveries_by_event ON deliveries (event);
CREATE INDEX deliveries_by_key ON deliveries (key_id, seq);
CREATE INDEX deliveries_in_line ON deliveries (subscriber, key_id, resource_crn, seq) WHERE state = 'pending';
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_due_in_turn ON deliveries (subscriber, key_id, due_at, seq) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_asked ON deliveries (subscriber, key_id, resource_crn, seq) WHERE redeliveries > 0;
CREATE INDEX deliveries_claimed ON deliveries (claimed) WHERE claimed = 1;

-- Attempts at deliveries, numbered from 1 on.
CREATE TABLE attempts (
    delivery INTEGER NOT NULL,
    n INTEGER NOT NULL,
    at INTEGER NOT NULL,
    cause TEXT NOT NULL,
    status INTEGER,
    latency_ms INTEGER NOT NULL,
    error TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (delivery, n)
) STRICT, WITHOUT ROWID;

-- What time will bring. kind: expiry, rotation, deletion-lapse, purge of a key; token-expiry of an instance.
-- What time will bring. kind: expiry, rotation, deletion-lapse, purge of a key; token-expiry, reclamation of an
-- instance; propagation of a policy of IAM.
CREATE TABLE due (
    subject_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (subject_id, kind)
) STRICT;
CREATE INDEX due_by_time ON due (at);

-- Audit records in blocks: one record for a change, many for the data plane. Records are numbered;
-- first and last are the smallest and the largest number in the block.
CREATE TABLE audit (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    block TEXT NOT NULL,
    lights BLOB NOT NULL
) STRICT;
