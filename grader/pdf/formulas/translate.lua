-- pandoc lua translate.lua < [[tex, display], ...] > [typst, ...]
-- Only pandoc's writer is called: no reader, no file, no address. It writes "/" as "\/", so that no formula
-- can contain what separates them.
local separator = "//@@"
local formulas = pandoc.json.decode(io.read("a"), false)
local blocks = pandoc.List{}
for _, formula in ipairs(formulas) do
  local kind = formula[2] and "DisplayMath" or "InlineMath"
  blocks:insert(pandoc.Plain{pandoc.Math(kind, formula[1])})
  blocks:insert(pandoc.RawBlock("typst", separator))
end
local text = pandoc.write(pandoc.Pandoc(blocks), "typst", pandoc.WriterOptions{wrap_text = "wrap-none"})
local translated = pandoc.List{}
for typst in (text .. "\n"):gmatch("(.-)\n" .. separator .. "\n") do
  translated:insert((typst:gsub("^%s+", "")))
end
io.write(pandoc.json.encode(translated))
