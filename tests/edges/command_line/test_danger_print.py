"""`amends danger print`: what a safety officer reads and signs."""

from __future__ import annotations

from tests.edges.product import Product


async def test_the_table_is_printed_with_its_sources_and_the_lines_that_sign_it(product: Product) -> None:
    printed = await product.amends("danger", "print", "--language", "en")
    assert "Never switch lights or electrical devices on or off." in printed.out
    assert "- call, GB: 0800 111 999 (https://" in printed.out
    # Only what is said in the desk's own countries.
    assert " DE https://" not in printed.out
    table = printed.out.partition("    [hazards]\n")[2].splitlines()
    settings = product.folder / "amends.toml"
    lines = "\n".join(line.strip() for line in table)
    settings.write_text(f"{settings.read_text(encoding='utf-8')}\n[hazards]\n{lines}\n", encoding="utf-8")
    checked = await product.amends("check")
    assert "signed by name and office" in checked.out
