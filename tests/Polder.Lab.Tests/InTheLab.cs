namespace Polder.Lab.Tests;

/// <summary>What every test here needs: a laboratory, or a skip that says why there is none.</summary>
internal static class InTheLab
{
    /// <summary>Skips the test where no laboratory can be built.</summary>
    public static void Need()
    {
        if (Laboratory.Missing() is { } missing) Assert.Skip($"No laboratory: {missing}.");
    }

    /// <summary>The checkout of py-ipv8, or a skip.</summary>
    public static string NeedReference()
    {
        Need();
        if (Reference.Checkout() is not { } checkout)
        {
            Assert.Skip("POLDER_PEERS names no folder with a checkout of py-ipv8 in py-3.2: see docs/interop.md.");
            return "";
        }
        return checkout;
    }

    /// <summary>A line in the test's output.</summary>
    public static void Say(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);

    public static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
