"""The whole line of the seed, stage by stage, on both databases."""

from models.guarantee.project import ProjectState, Stage


def test_a_project_goes_down_the_whole_line_in_the_order_of_the_seed(line):
    project = line.apply()
    seen = [project.stage]
    while project.stage is not Stage.IN_FORCE:
        seen.append(line.step(project))
    assert seen == list(Stage)[: Stage.IN_FORCE.rank + 1]
    assert (project.state, project.balance, project.reserved_amount) == (
        ProjectState.IN_FORCE,
        project.amount,
        0,
    )
