using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace ClaimCheck.Service.Hosting;

/// <summary>The service's own addresses, without a trailing slash. Known once the server listens.</summary>
internal sealed class PublicAddress(IConfiguration configuration, IServer server)
{
    /// <summary>What absolute links begin with: <c>ClaimCheck:PublicUrl</c>, or the first address that it listens on.</summary>
    public string Base { get; } = configuration["ClaimCheck:PublicUrl"]?.TrimEnd('/') ?? "";

    /// <summary>The address that reaches this very process.</summary>
    public string Own => FirstListening();

    public string Url(string path) => (Base.Length > 0 ? Base : FirstListening()) + path;

    private string FirstListening()
    {
        var address = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()
            ?? throw new InvalidOperationException("The server does not listen yet.");
        return address
            .Replace("://[::]", "://localhost", StringComparison.Ordinal)
            .Replace("://0.0.0.0", "://localhost", StringComparison.Ordinal)
            .Replace("://+", "://localhost", StringComparison.Ordinal)
            .Replace("://*", "://localhost", StringComparison.Ordinal)
            .TrimEnd('/');
    }
}
