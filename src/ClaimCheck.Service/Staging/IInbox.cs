namespace ClaimCheck.Service.Staging;

/// <summary>
/// How producers write to staging by themselves, below <see cref="StagingKeys.InboxRoot"/>: at S3, or, where staging is a folder,
/// through the service. Only <c>Links.LinkMinter</c> has links signed.
/// </summary>
internal interface IInbox
{
    /// <summary>Whether files can be sent in parts.</summary>
    bool TakesParts { get; }

    /// <summary>Signs a PUT of one object.</summary>
    Task<SignedLink> SignPutAsync(string key, TimeSpan lifetime, CancellationToken cancellationToken);

    /// <summary>Signs a PUT of one part of an open upload.</summary>
    Task<SignedLink> SignPartAsync(StagedUpload upload, int partNumber, TimeSpan lifetime, CancellationToken cancellationToken);

    /// <summary>The bytes of each part that has arrived, by its number.</summary>
    /// <exception cref="StagingException">With <see cref="StagingException.IsMissing"/> where there is no such upload (any more).</exception>
    Task<IReadOnlyDictionary<int, long>> PartsAsync(StagedUpload upload, CancellationToken cancellationToken);

    /// <summary>Puts the parts that have arrived together.</summary>
    Task CompleteAsync(StagedUpload upload, CancellationToken cancellationToken);

    /// <summary>The size of an object, or null where there is none.</summary>
    Task<long?> SizeAsync(string key, CancellationToken cancellationToken);
}
