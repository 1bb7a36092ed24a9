"""The form of the Reviews tab, and the places that the tab's script fills; nothing in it comes from data."""

from __future__ import annotations

from storewise.tools.reviews.summary import CLAIMS
from storewise.ui.render import icon

_STARS = "".join(f'<option value="{n}">{n}</option>' for n in range(1, 6))
_LENGTHS = "".join(
    f'<label><input type="radio" name="length" value="{length}"{" checked" if length == "medium" else ""}>'
    f"<span>{length.capitalize()}<small>{most} claims</small></span></label>"
    for length, most in CLAIMS.items()
)

FORM = f"""
<div class="reviews">
<p class="unseen" role="status" data-said></p>
<aside>
<form class="wish" novalidate>
<h1>What do customers say?</h1>
<p>Many reviews become a few claims. Each tells how many customers say it, and opens their own words.</p>
<div data-note></div>
<fieldset class="choice source"><legend class="unseen">Which reviews</legend>
<label><input type="radio" name="source" value="shop" checked><span>The shop's reviews</span></label>
<label><input type="radio" name="source" value="file"><span>A file</span></label>
</fieldset>
<div data-for="shop">
<div data-none></div>
<label for="pick">Products or categories</label>
<div class="pick"><input id="pick" list="pick-options" autocomplete="off" maxlength="200"
placeholder="A name or an id"><button type="button" data-add>Add</button></div>
<datalist id="pick-options"></datalist>
<ul class="chosen" aria-label="Chosen"></ul>
<div class="picks" aria-label="Those with the most reviews"></div>
<p class="help" data-all></p>
<details class="fold filter" data-fold="filter"><summary>{icon("filter")}Filter</summary><div>
<label>Stars, from<select name="rating_min"><option value="">any</option>{_STARS}</select></label>
<label>to<select name="rating_max"><option value="">any</option>{_STARS}</select></label>
<label class="wide">Sentiment<select name="sentiment"><option value="">any</option>
<option value="positive">praise</option><option value="negative">blame</option>
<option value="mixed">both ways</option></select></label>
<label>First day<input type="date" name="since"></label>
<label>Last day<input type="date" name="until"></label>
<p class="help wide" data-missing></p>
</div></details>
</div>
<div data-for="file" hidden>
<label class="drop"><input type="file" name="file" accept=".csv,.jsonl,.ndjson,text/csv">
{icon("export")}<b data-file>Drop a file here, or choose one</b>
<small>JSON lines or CSV, up to 100 MB. A column “text” is needed; review_id, rating, product_id,
category and reviewed_at are read if they are there.</small></label>
</div>
<label for="group_by">A summary</label>
<select id="group_by" name="group_by"><option value="product">for each product</option>
<option value="category">for each category</option><option value="all">for all together</option></select>
<fieldset class="choice"><legend>Length</legend>{_LENGTHS}</fieldset>
<button type="submit" class="start">Sum up</button>
<div role="alert" data-hint></div>
</form>
<section class="earlier"><h2>Jobs so far</h2><div data-jobs></div></section>
</aside>
<section class="job" aria-label="The job">
<a class="back" href="#reviews">{icon("back")}All jobs</a>
<div class="nothing"><h2>Nothing is open</h2><p>Choose reviews and start, or open one of the jobs so far.
A job goes on when this page is closed, and is found again here.</p></div>
<div data-problem></div>
<div class="panel slip"></div>
<div class="results" aria-label="Summaries"></div>
<button type="button" class="more" data-more-groups hidden></button>
</section>
</div>
"""
