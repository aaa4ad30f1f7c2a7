using System.Text;
using Polder.Runtime;

namespace Polder.Graph.Model;

/// <summary>Random names as gun.js makes them: message and peer ids of nine characters, souls from the state and twelve.</summary>
public static class RandomNames
{
    /// <summary>Characters of an id. One length for all: a relay takes <c>m10</c> for a follower of <c>m1</c>.</summary>
    public const int IdLength = 9;

    /// <summary>0-9, A-Z without Y, a-z.</summary>
    public const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXZabcdefghijklmnopqrstuvwxyz";

    private const int SoulTailLength = 12, FractionDigitsMax = 52;

    /// <summary>A message or peer id.</summary>
    public static string Id(Prng random) => Text(random, IdLength);

    /// <summary>Random characters.</summary>
    public static string Text(Prng random, int length)
    {
        ArgumentNullException.ThrowIfNull(random);
        return string.Create(length, random, static (text, source) =>
        {
            foreach (ref var c in text) c = Alphabet[source.Next(Alphabet.Length)];
        });
    }

    /// <summary>A new soul: the state in base 36 without its point, then twelve random characters.</summary>
    public static string Soul(double state, Prng random) => Base36(state) + Text(random, SoulTailLength);

    private static string Base36(double state)
    {
        const string digits = "0123456789abcdefghijklmnopqrstuvwxyz";
        var text = new StringBuilder();
        var whole = (long)Math.Floor(Math.Abs(state));
        var fraction = Math.Abs(state) - whole;
        do text.Insert(0, digits[(int)(whole % 36)]);
        while ((whole /= 36) > 0);
        // As many digits as the double has: what lies below its precision is noise.
        var precision = Math.BitIncrement(Math.Abs(state)) - Math.Abs(state);
        for (var i = 0; i < FractionDigitsMax && fraction > precision; i++)
        {
            fraction *= 36;
            precision *= 36;
            text.Append(digits[(int)fraction]);
            fraction -= Math.Floor(fraction);
        }
        return text.ToString();
    }
}
