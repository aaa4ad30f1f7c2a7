using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Polder.Host;

/// <summary>A web application with nothing in it: no settings but ours, no log, no signals, and limits on whoever connects.</summary>
internal static class PlainWeb
{
    /// <summary>A builder whose Kestrel <paramref name="limit"/> limits further and tells where to listen.</summary>
    public static WebApplicationBuilder NewBuilder(Action<KestrelServerOptions> limit)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ContentRootPath = AppContext.BaseDirectory, ApplicationName = "polder", EnvironmentName = "Production",
        });
        // The slim builder reads appsettings and environment of the framework; ours is polder.json, read elsewhere.
        builder.Configuration.Sources.Clear();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            limit(kestrel);
        });
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        return builder;
    }

    /// <summary>Limits for a port that serves WebSockets only.</summary>
    public static void ForSockets(KestrelServerOptions kestrel, int connectionsMax)
    {
        kestrel.Limits.MaxRequestBodySize = 0;
        kestrel.Limits.MaxConcurrentConnections = connectionsMax;
        kestrel.Limits.MaxConcurrentUpgradedConnections = connectionsMax;
    }

    /// <summary>The command line decides when the program ends; the web application installs no signal handlers.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
