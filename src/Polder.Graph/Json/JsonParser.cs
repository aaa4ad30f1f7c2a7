using System.Globalization;
using System.Text;

namespace Polder.Graph.Json;

/// <summary>
/// Reads JSON of strangers: never throws, nests at most <see cref="DepthMax"/> deep, allocates in proportion to its input. Lone
/// surrogates pass. Words that are no JSON become <see cref="JsonKind.Bare"/> where that is asked for, else the text is refused.
/// </summary>
internal ref struct JsonParser
{
    /// <summary>Deepest nesting of what is read.</summary>
    public const int DepthMax = 64;

    private readonly ReadOnlySpan<char> _text;
    private readonly bool _bareWords;
    private int _at;

    public JsonParser(ReadOnlySpan<char> text, bool bareWords = false)
    {
        _text = text;
        _bareWords = bareWords;
    }

    /// <summary>Where reading stands.</summary>
    public readonly int Position => _at;

    /// <summary>Reads a whole text, strict JSON.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out JsonItem item)
    {
        var parser = new JsonParser(text);
        if (parser.TryRead(0) is { } read)
        {
            parser.SkipBlanks();
            if (parser._at == text.Length)
            {
                item = read;
                return true;
            }
        }
        item = JsonItem.Null;
        return false;
    }

    /// <summary>Reads one item; null where there is none or it is broken.</summary>
    public JsonItem? TryRead(int depth)
    {
        SkipBlanks();
        if (_at >= _text.Length || depth > DepthMax) return null;
        return _text[_at] switch
        {
            '{' => ReadObject(depth),
            '[' => ReadArray(depth),
            '"' => ReadText() is { } text ? new JsonItem(text) : null,
            _ => ReadWord(),
        };
    }

    public void SkipBlanks()
    {
        while (_at < _text.Length && _text[_at] is ' ' or '\t' or '\n' or '\r') _at++;
    }

    /// <summary>Takes this character, after blanks, if it comes next.</summary>
    public bool TryTake(char c)
    {
        SkipBlanks();
        if (_at >= _text.Length || _text[_at] != c) return false;
        _at++;
        return true;
    }

    private JsonItem? ReadObject(int depth)
    {
        _at++;
        var members = new List<KeyValuePair<string, JsonItem>>();
        if (TryTake('}')) return new JsonItem(members);
        while (true)
        {
            SkipBlanks();
            if (_at >= _text.Length || _text[_at] != '"' || ReadText() is not { } name) return null;
            if (!TryTake(':') || TryRead(depth + 1) is not { } value) return null;
            members.Add(new(name, value));
            if (TryTake('}')) return new JsonItem(members);
            if (!TryTake(',')) return null;
        }
    }

    private JsonItem? ReadArray(int depth)
    {
        _at++;
        var items = new List<JsonItem>();
        if (TryTake(']')) return new JsonItem(items);
        while (true)
        {
            if (TryRead(depth + 1) is not { } item) return null;
            items.Add(item);
            if (TryTake(']')) return new JsonItem(items);
            if (!TryTake(',')) return null;
        }
    }

    private string? ReadText()
    {
        var start = ++_at;
        var rest = _text[start..];
        var stop = rest.IndexOfAny('"', '\\');
        if (stop < 0) return null;
        if (HasControl(rest[..stop])) return null;
        if (rest[stop] == '"')
        {
            _at += stop + 1;
            return rest[..stop].ToString();
        }
        var text = new StringBuilder(stop + 16);
        while (_at < _text.Length)
        {
            var c = _text[_at++];
            if (c == '"') return text.ToString();
            if (c < ' ') return null;
            if (c != '\\')
            {
                text.Append(c);
                continue;
            }
            if (_at >= _text.Length) return null;
            switch (_text[_at++])
            {
                case '"': text.Append('"'); break;
                case '\\': text.Append('\\'); break;
                case '/': text.Append('/'); break;
                case 'b': text.Append('\b'); break;
                case 'f': text.Append('\f'); break;
                case 'n': text.Append('\n'); break;
                case 'r': text.Append('\r'); break;
                case 't': text.Append('\t'); break;
                case 'u':
                    if (_at + 4 > _text.Length || !ushort.TryParse(_text.Slice(_at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit)) return null;
                    text.Append((char)unit);
                    _at += 4;
                    break;
                default: return null;
            }
        }
        return null;
    }

    private static bool HasControl(ReadOnlySpan<char> text) => text.IndexOfAnyInRange('\0', '\u001f') >= 0;

    private JsonItem? ReadWord()
    {
        var start = _at;
        while (_at < _text.Length && _text[_at] is not (',' or ']' or '}' or ':' or '[' or '{' or '"' or ' ' or '\t' or '\n' or '\r')) _at++;
        var word = _text[start.._at];
        if (word.Length == 0) return null;
        if (word is "null") return JsonItem.Null;
        if (word is "true") return JsonItem.True;
        if (word is "false") return JsonItem.False;
        if (IsNumber(word) && double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)) return new JsonItem(number);
        return _bareWords ? JsonItem.Bare(word.Length > 32 ? "" : word.ToString()) : null;
    }

    /// <summary>JSON's own grammar: .NET takes more.</summary>
    private static bool IsNumber(ReadOnlySpan<char> word)
    {
        var at = 0;
        if (word[at] == '-' && ++at == word.Length) return false;
        if (word[at] == '0') at++;
        else if (!Digits(word, ref at)) return false;
        if (at < word.Length && word[at] == '.')
        {
            at++;
            if (!Digits(word, ref at)) return false;
        }
        if (at < word.Length && word[at] is 'e' or 'E')
        {
            at++;
            if (at < word.Length && word[at] is '+' or '-') at++;
            if (!Digits(word, ref at)) return false;
        }
        return at == word.Length;
    }

    private static bool Digits(ReadOnlySpan<char> word, ref int at)
    {
        var start = at;
        while (at < word.Length && char.IsAsciiDigit(word[at])) at++;
        return at > start;
    }
}
