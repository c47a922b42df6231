import pytest
from tests.fakes.builders import Center


@pytest.fixture
async def center() -> Center:
    """A control center that knows the PDU `rack-1`, which has not been heard yet."""
    return await Center().open("rack-1")
