"""What a page owes to people who do not see it, or use no mouse: axe-core, and looks of our own.

axe is put in by `evaluate`, through the driver: our policy lets no page load a script.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Streamlit's own: the drop zone of an uploader is a focusable element with role=presentation.
ALLOWED = ("presentation-role-conflict",)

_RUN = """([allowed, rules]) => axe.run(document, {
    resultTypes: ['violations'], ...(rules.length ? {runOnly: {type: 'rule', values: rules}} : {}),
}).then(found => found.violations.filter(v => !allowed.includes(v.id)).map(
    v => `${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map(n => n.target.join(' ') + ' '
        + n.html.slice(0, 160)).join(' | ')}`))"""

_LOOK = """() => {
    const shut = e => e.closest('[data-testid=stSidebar]')?.getBoundingClientRect().width < 50;
    const seen = e => !shut(e)
        && e.checkVisibility({visibilityProperty: true, opacityProperty: true});
    const text = e => [...e.childNodes].map(n => n.nodeType === 3 ? n.data
        : n.dataset?.testid === 'stIconMaterial' ? '' : text(n)).join('');
    const name = e => (e.getAttribute('aria-label') || text(e) || e.title
        || e.querySelector('img')?.alt || '').trim();
    const wrong = [];
    const open = document.querySelector('[role=dialog]');
    const h1 = [...document.querySelectorAll('h1')].filter(h => !h.closest('[role=dialog]'));
    if (h1.length !== 1) wrong.push(`${h1.length} h1`);
    let last = 1;
    for (const h of document.querySelectorAll('[data-testid=stMain] :is(h1,h2,h3,h4,h5,h6)')) {
        const level = Number(h.tagName[1]);
        if (level > last + 1) wrong.push(`h${level} after h${last}: ${h.innerText}`);
        last = level;
    }
    for (const i of document.images)
        if (!i.hasAttribute('alt')) wrong.push(`no alt: ${i.outerHTML.slice(0, 120)}`);
    for (const b of document.querySelectorAll('button, a[href], [role=button]'))
        if (seen(b) && !name(b)) wrong.push(`no name: ${b.outerHTML.slice(0, 160)}`);
    for (const b of document.querySelectorAll('button, [role=button]')) {
        const {width, height} = b.getBoundingClientRect();
        // react-aria puts two buttons of 1 px into a dialog, for screen readers only.
        const hidden = b.parentElement.style.clip || b.closest('[style*="clip"]');
        if (seen(b) && !hidden && height && width && (height < 24 || width < 24))
            wrong.push(`small ${Math.round(width)}x${Math.round(height)}: ${name(b)}`);
    }
    const over = document.documentElement.scrollWidth - innerWidth;
    if (over > 0) wrong.push(`${over} px off the page`);
    return wrong;
}"""

_SCRIPT = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def faults(page: Page, *rules: str) -> list[str]:
    """What axe finds, of any weight; only these rules when some are named."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_SCRIPT)
    found: list[str] = page.evaluate(_RUN, [list(ALLOWED), list(rules)])
    return found


def oversights(page: Page) -> list[str]:
    """What we hold ourselves to beyond axe: headings, names, alt text, targets of 24 px, width."""
    found: list[str] = page.evaluate(_LOOK)
    return found
