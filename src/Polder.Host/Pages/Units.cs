using System.Globalization;

namespace Polder.Host.Pages;

/// <summary>Amounts as people type them into the form: a number in one field, a unit in the other. 1 MB is 2^20 bytes (a bandwidth token).</summary>
internal static class Units
{
    /// <summary>The unit of amounts of data.</summary>
    public const string Bytes = Amounts.Bytes;
    /// <summary>Letters of a unit of one's own, at most.</summary>
    public const int LettersMax = Amounts.UnitLettersMax;

    /// <summary>Reads both fields; what is wrong goes to the field where it is.</summary>
    public static bool TryParse(string amountText, string unitText, out long amount, out string unit, IDictionary<string, string> errors)
    {
        (amount, unit) = (0, unitText.Trim());
        if (unit.Length is 0 or > LettersMax || unit.Any(char.IsControl))
            errors["unit"] = $"A unit is a word of at most {LettersMax} letters, for example MB or hours.";
        var shift = unit.ToUpperInvariant() switch
        {
            "B" or "BYTE" or "BYTES" => 0,
            "KB" or "KIB" => 10,
            "MB" or "MIB" => 20,
            "GB" or "GIB" => 30,
            "TB" or "TIB" => 40,
            _ => -1,
        };
        var text = amountText.Trim().Replace(',', '.');
        // Who types "25 MB" into the first field means it.
        if (Amounts.TryParse(text, null, out var whole, out _, out _))
        {
            (amount, unit) = (whole, Bytes);
            errors.Remove("unit");
            return errors.Count == 0;
        }
        if (text.Length == 0) errors["amount"] = "Say how much, for example 25.";
        else if (!decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
            errors["amount"] = "This is not a number. Write 25, and the unit beside it.";
        else if (value <= 0) errors["amount"] = "An amount is above 0.";
        else if (shift < 0 && value != decimal.Truncate(value)) errors["amount"] = "Whole numbers only. Use a smaller unit.";
        else if (value > long.MaxValue >> Math.Max(shift, 0)) errors["amount"] = "This is more than can be counted.";
        else amount = (long)decimal.Round(value * (1L << Math.Max(shift, 0)));
        if (amount == 0 && !errors.ContainsKey("amount")) errors["amount"] = "This is less than one byte.";
        if (shift >= 0) unit = Bytes;
        return errors.Count == 0;
    }
}
