namespace ClaimCheck.Service.Startup;

/// <summary>Settings directly below <c>ClaimCheck</c>; those of features have sections of their own.</summary>
internal sealed class ServiceOptions : IValidatableObject
{
    public const string Section = "ClaimCheck";
    private const int LongestUrl = 1000;

    /// <summary>The administrator's key. Without one, the service listens on loopback only.</summary>
    public string? AdminKey { get; init; }

    /// <summary>A proxy in front of the service ends TLS.</summary>
    public bool? BehindTls { get; init; }

    /// <summary>The beginning of everything absolute, where callers reach the service by another address than it listens
    /// on.</summary>
    public string? PublicUrl { get; init; }

    /// <summary>The folder of the service's own data where nothing else is configured.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>The folder of dataset definitions.</summary>
    public string? Datasets { get; init; }

    /// <summary>The folder of operations.</summary>
    public string? Operations { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (PublicUrl is not { Length: > 0 } url)
            yield break;
        if (url.Length > LongestUrl)
        {
            yield return new(
                $"{Section}:PublicUrl has {url.Length} characters, but must have {LongestUrl} at most: " +
                "events carry it, and no event may be larger than 8 KiB.");
        }
        else if (url.Any(char.IsWhiteSpace) || !Uri.TryCreate(url, UriKind.Absolute, out var uri)
            || uri is not { Scheme: "http" or "https", UserInfo.Length: 0, Query.Length: 0, Fragment.Length: 0 })
        {
            yield return new($"{Section}:PublicUrl is '{url}', but must be http(s)://host[:port][/path]: no link that begins "
                + "with it would lead here.");
        }
    }
}
