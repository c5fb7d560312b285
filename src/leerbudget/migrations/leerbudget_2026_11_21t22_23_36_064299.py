from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.constraints import Check
from piccolo.constraints import Unique

ID = "2026-11-21T22:23:36:064299"
VERSION = "1.38.0"
DESCRIPTION = ""


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="leerbudget", description=DESCRIPTION
    )

    manager.drop_constraint(
        table_class_name="Budget",
        tablename="budget",
        constraint_name="budget_ref_once",
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Transfer",
        tablename="transfer",
        constraint_name="corrections_have_a_reason",
        constraint_class=Check,
        params={"condition": "kind <> 'correction' OR reason IS NOT NULL"},
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Budget",
        tablename="budget",
        constraint_name="budget_forms_are_known",
        constraint_class=Check,
        params={
            "condition": "forms IS NULL OR (cardinality(forms) > 0 AND forms::text[] <@ ARRAY['group_training', 'theme_meeting', 'webinar', 'e_learning', 'peer_intervision', 'individual_coaching', 'buddy', 'dialogue', 'local_development', 'joint_parents', 'train_the_trainer']::text[])"
        },
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Budget",
        tablename="budget",
        constraint_name="budget_ref_once_per_organisation",
        constraint_class=Unique,
        params={
            "columns": ["organisation", "external_ref"],
            "nulls_distinct": True,
        },
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Budget",
        tablename="budget",
        constraint_name="budget_themes_are_known",
        constraint_class=Check,
        params={
            "condition": "themes IS NULL OR (cardinality(themes) > 0 AND themes::text[] <@ ARRAY['attachment', 'trauma', 'behaviour', 'birth_parents', 'adolescence', 'transition_16plus', 'grief_loss', 'disability_neurodiversity', 'play_school_development', 'law_and_system', 'collaboration_assertiveness', 'self_care', 'kinship_care', 'crisis_part_time', 'endings', 'training_others', 'other']::text[])"
        },
        schema=None,
    )

    return manager
