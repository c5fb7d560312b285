-- Who has no family and is no professional (an own parent, somebody of the network) can log in for their own seats.
ALTER TABLE role_grant DROP CONSTRAINT role_is_known;
ALTER TABLE role_grant ADD CONSTRAINT role_is_known
  CHECK (role IN ('foster_parent', 'foster_care_worker', 'guardian_worker', 'guest', 'trainer', 'organisation_finance',
                  'organisation_admin', 'municipality_viewer', 'coordinator', 'platform_admin'));
