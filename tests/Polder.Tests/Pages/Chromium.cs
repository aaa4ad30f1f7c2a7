using Microsoft.Playwright;

namespace Polder.Tests.Pages;

/// <summary>One headless Chromium for all tests of a class. Where there is none, the tests are skipped and say so.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private const string ExecutablePath = "/usr/bin/chromium";
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Where pictures of the pages are left for people to look at.</summary>
    public static string Folder { get; } = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "polder-pages")).FullName;

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(ExecutablePath)) return;
        _playwright = await Playwright.CreateAsync();
        _browser = await LaunchAsync();
    }

    private Task<IBrowser> LaunchAsync(params string[] more) => _playwright!.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
    {
        ExecutablePath = ExecutablePath,
        Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", .. more],
    });

    /// <summary>A browser whose camera shows a film (Y4M), over and over. The caller closes it.</summary>
    public async Task<IBrowser> WithCameraAsync(string film)
    {
        SkipWithout();
        return await LaunchAsync("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", "--use-file-for-fake-video-capture=" + film);
    }

    private void SkipWithout() => Assert.SkipWhen(_browser is null, $"There is no Chromium at {ExecutablePath}: the pages were NOT tried in a browser. ./x test installs it.");

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }

    /// <summary>A page in a context of its own. Errors that its console or its script reports are collected in <paramref name="errors"/>.</summary>
    public async Task<IPage> OpenAsync(ICollection<string> errors, int width = 1280, int height = 800, bool dark = false, bool script = true, bool still = false)
    {
        SkipWithout();
        var context = await _browser!.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height },
            ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            JavaScriptEnabled = script,
            ReducedMotion = still ? ReducedMotion.Reduce : ReducedMotion.NoPreference,
            Permissions = ["clipboard-read", "clipboard-write"],
        });
        // Slow machines: eight builds at once are no fault of the page.
        context.SetDefaultTimeout(60_000);
        var page = await context.NewPageAsync();
        page.Console += (_, message) => { if (message.Type is "error" or "warning") errors.Add(message.Text); };
        page.PageError += (_, text) => errors.Add(text);
        return page;
    }
}
